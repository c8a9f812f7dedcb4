package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.IoApicState;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PicState;
import org.jvirt.linux.DeviceFile;

/// The interrupt controllers in the kernel as the records that the machine's own controllers use. While no vCPU
/// runs.
final class KernelInterrupts {
    private static final int DEFAULT_ADDRESS_BITS = 36;
    private static final long IOAPIC_MASKED = 1L << 16;

    private final DeviceFile vm;
    private final VmSpec spec;
    private final Collection<KvmVcpu> vcpus;
    private final KernelPit pit;
    private @Nullable List<LocalApicState> powerOn;

    /// @param vcpus in order; filled later
    KernelInterrupts(DeviceFile vm, VmSpec spec, Collection<KvmVcpu> vcpus) {
        this.vm = vm;
        this.spec = spec;
        this.vcpus = vcpus;
        pit = new KernelPit(vm, spec.clock());
    }

    KernelPit pit() {
        return pit;
    }

    private ApicConfig config() {
        int bits = spec.cpuid()
                .leaf(0x8000_0008, 0)
                .map(CpuidLeaf::eax)
                .map(eax -> eax & 0xFF)
                .orElse(DEFAULT_ADDRESS_BITS);
        return new ApicConfig(
                spec.vcpus(), Math.clamp(bits, 36, 52), spec.cpuid().has(CpuFeature.X2APIC));
    }

    // ---------------------------------------------------------------- out

    PcInterruptsState save() {
        try (Arena arena = Arena.ofConfined()) {
            return new PcInterruptsState(
                    config(),
                    ChipImages.parsePic(chip(arena, ChipImages.PIC_MASTER)),
                    ChipImages.parsePic(chip(arena, ChipImages.PIC_SLAVE)),
                    ChipImages.parseIoApic(chip(arena, ChipImages.IOAPIC)),
                    saveApics());
        }
    }

    /// In the order of the vCPUs.
    List<LocalApicState> saveApics() {
        var apics = new ArrayList<LocalApicState>();
        for (KvmVcpu vcpu : vcpus) {
            apics.add(apic(vcpu));
        }
        return apics;
    }

    private LocalApicState apic(KvmVcpu vcpu) {
        try (Arena arena = Arena.ofConfined()) {
            DeviceFile file = vcpu.file();
            MemorySegment page = arena.allocate(LapicImage.BYTES, 8);
            file.ioctl("KVM_GET_LAPIC", Ioctls.KVM_GET_LAPIC, page);
            MemorySegment system = arena.allocate(SystemImage.BYTES, 8);
            file.ioctl("KVM_GET_SREGS", Ioctls.KVM_GET_SREGS, system);
            long deadline = MsrTable.get(file, MsrTable.IA32_TSC_DEADLINE);
            return LapicImage.parse(
                    page,
                    vcpu.index(),
                    SystemImage.apicBase(system),
                    spec.clock().nanos(),
                    deadline == 0 ? 0 : deadline - vcpu.tsc().adjustment());
        }
    }

    private MemorySegment chip(Arena arena, int number) {
        MemorySegment image = arena.allocate(ChipImages.BYTES, 8);
        image.set(JAVA_INT, 0, number);
        vm.ioctl("KVM_GET_IRQCHIP", Ioctls.KVM_GET_IRQCHIP, image);
        return image;
    }

    // ---------------------------------------------------------------- in

    /// The chips come first, because what they deliver while being set is wiped out by the local APICs' own state;
    /// and the slave before the master, which would remember a request of the slave's former state.
    void load(PcInterruptsState state) {
        rememberPowerOn();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment slave = chip(arena, ChipImages.PIC_SLAVE);
            ChipImages.fillPic(slave, state.slave());
            setChip(slave);
            MemorySegment master = chip(arena, ChipImages.PIC_MASTER);
            ChipImages.fillPic(master, state.master());
            setChip(master);
            MemorySegment ioApic = chip(arena, ChipImages.IOAPIC);
            ChipImages.fillIoApic(ioApic, state.ioApic());
            setChip(ioApic);
        }
        loadApics(state.apics());
    }

    /// Whether the wire `gsi` was high.
    static boolean level(PcInterruptsState state, int gsi) {
        if (gsi == 0) {
            // the interval timer's, which drives it itself
            return false;
        }
        if (gsi < 16 && gsi != 2) {
            PicState pic = gsi < 8 ? state.master() : state.slave();
            return (pic.lines() >>> (gsi & 7) & 1) != 0;
        }
        return state.ioApic().sources().get(gsi) != 0;
    }

    private void setChip(MemorySegment image) {
        vm.ioctl("KVM_SET_IRQCHIP", Ioctls.KVM_SET_IRQCHIP, image);
    }

    /// In the order of the vCPUs.
    void loadApics(List<LocalApicState> apics) {
        rememberPowerOn();
        int i = 0;
        for (KvmVcpu vcpu : vcpus) {
            loadApic(vcpu, apics.get(i++));
        }
    }

    private void loadApic(KvmVcpu vcpu, LocalApicState state) {
        try (Arena arena = Arena.ofConfined()) {
            DeviceFile file = vcpu.file();
            MemorySegment system = arena.allocate(SystemImage.BYTES, 8);
            file.ioctl("KVM_GET_SREGS", Ioctls.KVM_GET_SREGS, system);
            SystemImage.setApicBase(system, state.apicBase());
            file.ioctl("KVM_SET_SREGS", Ioctls.KVM_SET_SREGS, system);
            MemorySegment page = arena.allocate(LapicImage.BYTES, 8);
            file.ioctl("KVM_GET_LAPIC", Ioctls.KVM_GET_LAPIC, page);
            LapicImage.fill(page, state, spec.clock().nanos());
            file.ioctl("KVM_SET_LAPIC", Ioctls.KVM_SET_LAPIC, page);
            long deadline = state.tscDeadline();
            MsrTable.set(
                    file,
                    MsrTable.IA32_TSC_DEADLINE,
                    deadline == 0 ? 0 : deadline + vcpu.tsc().adjustment());
        }
    }

    /// Local APICs as KVM made them; before anything else is loaded, or the guest has run.
    void rememberPowerOn() {
        if (powerOn == null) {
            powerOn = saveApics();
        }
    }

    /// The local APICs as after power-on.
    void resetApics() {
        List<LocalApicState> first = powerOn;
        if (first != null) {
            loadApics(first);
        }
    }

    /// All as after power-on; levels of lines stay.
    void reset() {
        PcInterruptsState now = save();
        List<Integer> sources = now.ioApic().sources();
        var entries = Collections.nCopies(IoApicState.PINS, IOAPIC_MASKED);
        List<LocalApicState> apics = powerOn == null ? now.apics() : powerOn;
        load(new PcInterruptsState(
                now.config(), reset(now.master()), reset(now.slave()), new IoApicState(0, 0, entries, sources), apics));
    }

    private static PicState reset(PicState now) {
        PicState r = PicState.RESET;
        return new PicState(
                now.lines(),
                r.irr(),
                r.isr(),
                r.imr(),
                r.elcr(),
                r.vectorBase(),
                r.icw4(),
                r.nextIcw(),
                r.needsIcw4(),
                r.single(),
                r.firstPriority(),
                r.rotateOnAutoEnd(),
                r.specialMask(),
                r.readIsr(),
                r.poll());
    }
}
