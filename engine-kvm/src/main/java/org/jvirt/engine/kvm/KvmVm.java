package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.DirtyPages;
import org.jvirt.core.Doorbell;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.MsiSink;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.linux.DeviceFile;

/// A VM of KVM.
final class KvmVm implements Vm {
    /// Three pages that Intel's processors need for real mode, and one for paging with it off: below the firmware,
    /// where a PC has no memory. Source: API, 4.37 and 4.42.
    private static final long IDENTITY_MAP_GPA = 0xFEFF_C000L;

    private static final long TSS_GPA = 0xFEFF_D000L;
    private static final int IOAPIC_PINS = 24;
    private static final int X2APIC_API_FLAGS = 3;
    private static final int MSR_EXITS_INVALID_AND_UNKNOWN = 3;
    private static final int CLOCK_BYTES = 48;

    /// Who has the interrupt controllers of this VM.
    private enum Chips {
        /// The kernel, all.
        KERNEL,
        /// The kernel local APICs, the machine the rest.
        SPLIT,
        /// The machine, all.
        MACHINE
    }

    private final VmSpec spec;
    private final KvmDevice device;
    private final DeviceFile vm;
    private final Chips chips;
    private final boolean scalesTsc;
    private final SlotMap memory;
    private final DirtyRings rings;
    private final CollectedStores stores;
    private final Arena arena = Arena.ofShared();
    private final InterruptLine[] lines = new InterruptLine[IOAPIC_PINS];
    private final RouteTable routes;
    private final KernelMsi msi;
    private final ConcurrentSkipListMap<Integer, KvmVcpu> vcpus = new ConcurrentSkipListMap<>();
    private final int mappingBytes;
    private final int extendedBytes;
    private final KernelInterrupts kernelInterrupts;
    private @Nullable MsrTable msrs;

    static Vm create(VmSpec spec, KvmOptions options, boolean scalesTsc) {
        KvmDevice device = KvmDevice.open();
        try {
            DeviceFile vm =
                    device.file().create("the KVM VM of " + spec.name(), "KVM_CREATE_VM", Ioctls.KVM_CREATE_VM, 0);
            try {
                return new KvmVm(spec, options, scalesTsc, device, vm);
            } catch (RuntimeException e) {
                vm.close();
                throw e;
            }
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private KvmVm(VmSpec spec, KvmOptions options, boolean scalesTsc, KvmDevice device, DeviceFile vm) {
        this.spec = spec;
        this.device = device;
        this.vm = vm;
        this.scalesTsc = scalesTsc;
        chips = spec.interrupts()
                .map(machines -> machines.hasLocalApics() ? Chips.MACHINE : Chips.SPLIT)
                .orElse(Chips.KERNEL);
        checkVcpus();
        DirtyRings.check(options.dirtyRingEntries(), device.capability(KvmCapability.KVM_CAP_DIRTY_LOG_RING));
        if (options.dirtyRingEntries() > 0) {
            enable(KvmCapability.KVM_CAP_DIRTY_LOG_RING, DirtyRings.bytes(options.dirtyRingEntries()));
        }
        if (options.haltPollNanos().isPresent()) {
            require(KvmCapability.KVM_CAP_HALT_POLL);
            enable(KvmCapability.KVM_CAP_HALT_POLL, options.haltPollNanos().getAsLong());
        }
        placeIntelPages();
        makeChips();
        rings = new DirtyRings(vm, options.dirtyRingEntries());
        memory = new SlotMap(vm, spec.memory(), device.capability(KvmCapability.KVM_CAP_NR_MEMSLOTS), rings);
        stores = new CollectedStores(vm);
        routes = new RouteTable(
                vm,
                chips == Chips.KERNEL,
                chips == Chips.MACHINE ? 0 : device.capability(KvmCapability.KVM_CAP_IRQ_ROUTING));
        msi = new KernelMsi(vm, routes);
        for (int gsi = 0; gsi < lines.length; gsi++) {
            lines[gsi] = chips == Chips.KERNEL ? new KernelLine(vm, gsi, arena) : machineLine(gsi);
        }
        mappingBytes = device.file().ioctl("KVM_GET_VCPU_MMAP_SIZE", Ioctls.KVM_GET_VCPU_MMAP_SIZE, 0);
        extendedBytes = ExtendedImage.bytes(spec.cpuid());
        kernelInterrupts = new KernelInterrupts(vm, spec, vcpus.values());
    }

    private InterruptLine machineLine(int gsi) {
        return machines().line(gsi);
    }

    /// The machine's interrupt controllers, which this VM has.
    private InterruptController machines() {
        return spec.interrupts()
                .orElseThrow(() -> new IllegalStateException(
                        "VM %s has its interrupt controllers in the kernel".formatted(spec.name())));
    }

    // ---------------------------------------------------------------- making

    private void checkVcpus() {
        int most = device.capability(KvmCapability.KVM_CAP_MAX_VCPUS);
        if (most > 0 && spec.vcpus() > most) {
            throw new UserErrorException("VM %s asks for %d vCPUs, and this host's KVM gives a VM up to %d"
                    .formatted(spec.name(), spec.vcpus(), most));
        }
    }

    private void require(KvmCapability capability) {
        if (!device.has(capability)) {
            throw new UserErrorException("This host's KVM lacks %s (%s), which VM %s is asked to have"
                    .formatted(capability.meaning(), capability, spec.name()));
        }
    }

    private void enable(KvmCapability capability, long argument) {
        try (Arena temporary = Arena.ofConfined()) {
            // struct kvm_enable_cap: cap, flags, four arguments, padding
            MemorySegment request = temporary.allocate(104, 8);
            request.set(JAVA_INT, 0, capability.number());
            request.set(JAVA_LONG, 8, argument);
            vm.ioctl("KVM_ENABLE_CAP %s=%d".formatted(capability, argument), Ioctls.KVM_ENABLE_CAP, request);
        }
    }

    private void placeIntelPages() {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment address = temporary.allocate(JAVA_LONG);
            address.set(JAVA_LONG, 0, IDENTITY_MAP_GPA);
            vm.ioctl("KVM_SET_IDENTITY_MAP_ADDR", Ioctls.KVM_SET_IDENTITY_MAP_ADDR, address);
        }
        vm.ioctl("KVM_SET_TSS_ADDR", Ioctls.KVM_SET_TSS_ADDR, TSS_GPA);
    }

    private void makeChips() {
        switch (chips) {
            case KERNEL -> {
                require(KvmCapability.KVM_CAP_IRQCHIP);
                require(KvmCapability.KVM_CAP_SIGNAL_MSI);
                require(KvmCapability.KVM_CAP_PIT2);
                useWideApicIds();
                vm.ioctl("KVM_CREATE_IRQCHIP", Ioctls.KVM_CREATE_IRQCHIP, 0);
                KernelPit.create(vm);
            }
            case SPLIT -> {
                require(KvmCapability.KVM_CAP_SPLIT_IRQCHIP);
                require(KvmCapability.KVM_CAP_SIGNAL_MSI);
                useWideApicIds();
                enable(KvmCapability.KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS);
            }
            case MACHINE -> {
                if (device.has(KvmCapability.KVM_CAP_X86_USER_SPACE_MSR)) {
                    enable(KvmCapability.KVM_CAP_X86_USER_SPACE_MSR, MSR_EXITS_INVALID_AND_UNKNOWN);
                }
            }
        }
    }

    private void useWideApicIds() {
        if (device.has(KvmCapability.KVM_CAP_X2APIC_API)) {
            enable(KvmCapability.KVM_CAP_X2APIC_API, X2APIC_API_FLAGS);
        }
    }

    @Override
    public Vcpu createVcpu(int index, ExitHandler io) {
        if (index < 0 || index >= spec.vcpus()) {
            throw new IllegalArgumentException(
                    "VM %s has vCPUs 0 to %d, not %d".formatted(spec.name(), spec.vcpus() - 1, index));
        }
        DeviceFile file = vm.create(
                "vCPU %d of %s".formatted(index, spec.name()), "KVM_CREATE_VCPU", Ioctls.KVM_CREATE_VCPU, index);
        try {
            var vcpu = new KvmVcpu(this, index, parts(file, index), io);
            vcpus.put(index, vcpu);
            if (chips != Chips.MACHINE && vcpus.size() == spec.vcpus()) {
                kernelInterrupts.rememberPowerOn();
            }
            return vcpu;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private VcpuParts parts(DeviceFile file, int index) {
        MemorySegment mapping = file.map(0, mappingBytes);
        stores.attach(mapping);
        rings.add(file);
        CpuidArray.write(file, spec.cpuid(), index);
        if (spec.cpuid().leaf(HyperV.FEATURES, 0).filter(HyperV::synic).isPresent()) {
            enableSynic(file);
        }
        if (scalesTsc) {
            file.ioctl("KVM_SET_TSC_KHZ", Ioctls.KVM_SET_TSC_KHZ, spec.tsc().hz() / 1000);
        }
        if (msrs == null) {
            msrs = MsrTable.of(device.file(), file);
        }
        var page = new RunPage(mapping);
        var attention = new Attention(page);
        var tsc = new TscKeeper(file, spec.tsc());
        return new VcpuParts(
                file,
                page,
                attention,
                new VcpuState(file, msrs, extendedBytes, tsc),
                tsc,
                local(file, page, attention, index),
                spec.cpuid().leaf(1, 0).map(CpuidLeaf::eax).orElse(0));
    }

    private @Nullable LocalDelivery local(DeviceFile file, RunPage page, Attention attention, int index) {
        boolean behindApic = chips == Chips.SPLIT && index == 0;
        if (chips != Chips.MACHINE && !behindApic) {
            return null;
        }
        var delivery = new LocalDelivery(file, page, attention, machines().local(index), behindApic);
        machines().connect(index, delivery);
        return delivery;
    }

    private static void enableSynic(DeviceFile file) {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment request = temporary.allocate(104, 8);
            request.set(JAVA_INT, 0, KvmCapability.KVM_CAP_HYPERV_SYNIC2.number());
            file.ioctl("KVM_ENABLE_CAP KVM_CAP_HYPERV_SYNIC2", Ioctls.KVM_ENABLE_CAP, request);
        }
    }

    // ---------------------------------------------------------------- what vCPUs use

    CollectedStores stores() {
        return stores;
    }

    SlotMap memory() {
        return memory;
    }

    /// Slots whose stores KVM hands to us.
    List<MemorySlot> readOnlyMemory() {
        return spec.memory().slots().stream().filter(MemorySlot::readOnly).toList();
    }

    void vectorEnded(int vector) {
        machines().vectorEnded(vector);
    }

    /// A vCPU is about to be closed, and with it what it has mapped. vCPUs are closed when none runs any more.
    void forget(KvmVcpu vcpu) {
        vcpus.remove(vcpu.index(), vcpu);
        stores.detach();
        memory.closeRings();
    }

    // ---------------------------------------------------------------- interrupts and doorbells

    @Override
    public InterruptLine irq(int gsi) {
        return lines[gsi];
    }

    @Override
    public MsiSink msi() {
        return chips == Chips.MACHINE ? machines().msi() : msi;
    }

    @Override
    public Doorbell doorbell(String name) {
        return new EventDoorbell(
                vm,
                device.has(KvmCapability.KVM_CAP_IOEVENTFD) && device.has(KvmCapability.KVM_CAP_IOEVENTFD_NO_LENGTH));
    }

    @Override
    public void announcePin(int pin, long address, int data) {
        if (chips == Chips.SPLIT) {
            routes.announce(pin, address, data);
        }
    }

    @Override
    public PcInterruptsState saveInterrupts() {
        return allChips().save();
    }

    @Override
    public void loadInterrupts(PcInterruptsState state) {
        KernelInterrupts chipsInKernel = allChips();
        for (int gsi = 0; gsi < lines.length; gsi++) {
            lines[gsi].set(KernelInterrupts.level(state, gsi));
        }
        chipsInKernel.load(state);
    }

    @Override
    public List<LocalApicState> saveLocalApics() {
        return localApics().saveApics();
    }

    @Override
    public void loadLocalApics(List<LocalApicState> states) {
        localApics().loadApics(states);
    }

    @Override
    public void resetInterrupts() {
        if (chips == Chips.SPLIT) {
            localApics().resetApics();
        } else {
            allChips().reset();
        }
    }

    @Override
    public PitState savePit() {
        return allChips().pit().save();
    }

    @Override
    public void loadPit(PitState state) {
        allChips().pit().load(state);
    }

    @Override
    public void holdPit(boolean held) {
        if (chips == Chips.KERNEL) {
            kernelInterrupts.pit().hold(held);
        }
    }

    private KernelInterrupts allChips() {
        if (chips != Chips.KERNEL) {
            throw new IllegalStateException("The interrupt controllers belong to the machine");
        }
        return localApics();
    }

    private KernelInterrupts localApics() {
        if (chips == Chips.MACHINE) {
            throw new IllegalStateException("The local APICs belong to the machine");
        }
        if (vcpus.size() != spec.vcpus()) {
            throw new IllegalStateException(
                    "VM %s has %d of its %d vCPUs: all must exist".formatted(spec.name(), vcpus.size(), spec.vcpus()));
        }
        return kernelInterrupts;
    }

    @Override
    public void collectStores(long gpa, long sizeBytes) {
        if (device.has(KvmCapability.KVM_CAP_COALESCED_MMIO)) {
            stores.add(gpa, sizeBytes);
        }
    }

    // ---------------------------------------------------------------- time and memory

    @Override
    public void synchronizeClock() {
        for (KvmVcpu vcpu : vcpus.values()) {
            vcpu.tsc().synchronize();
        }
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment clock = temporary.allocate(CLOCK_BYTES, 8);
            clock.set(JAVA_LONG, 0, spec.clock().nanos());
            vm.ioctl("KVM_SET_CLOCK", Ioctls.KVM_SET_CLOCK, clock);
        }
        for (KvmVcpu vcpu : vcpus.values()) {
            // so that the guest's watchdogs forgive the time; a guest without kvm-clock cannot be told
            var _ = vcpu.file().tryIoctl(Ioctls.KVM_KVMCLOCK_CTRL, 0);
        }
    }

    @Override
    public DirtyPages takeDirtyPages(MemorySlot slot) {
        return memory.take(slot);
    }

    @Override
    public void close() {
        for (KvmVcpu vcpu : vcpus.values().toArray(KvmVcpu[]::new)) {
            vcpu.close();
        }
        vm.close();
        device.close();
        arena.close();
    }
}
