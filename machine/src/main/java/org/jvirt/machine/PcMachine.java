package org.jvirt.machine;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.EntropySource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.PowerControl;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.linux.HostMemory;
import org.jvirt.machine.boot.BootLoader;
import org.jvirt.machine.boot.BootRequest;
import org.jvirt.machine.boot.FirmwareImage;
import org.jvirt.machine.boot.KernelFile;
import org.jvirt.machine.clock.HostClock;
import org.jvirt.machine.cpu.CpuIdentity;
import org.jvirt.machine.cpu.CpuidBuilder;
import org.jvirt.machine.cpu.CpuidBuilder.KvmFeature;
import org.jvirt.machine.host.GuestRam;
import org.jvirt.machine.host.HostPlacement;
import org.jvirt.machine.layout.MemoryMap;

/// A PC as configured, wired to an engine. Not thread-safe but where said; [VirtualMachine] drives it.
final class PcMachine {
    /// The time-stamp counter counts nanoseconds where the engine can make it so: one that makes it from guest time
    /// has nothing to convert, it is the same wherever a snapshot is resumed, and it equals the clock of the local
    /// APIC timer.
    static final long WISHED_TSC_HZ = 1_000_000_000L;

    private static final long APIC_HZ = 1_000_000_000L;
    private static final Set<KvmFeature> PARAVIRTUAL = EnumSet.of(
            KvmFeature.CLOCKSOURCE,
            KvmFeature.CLOCKSOURCE2,
            KvmFeature.CLOCKSOURCE_STABLE,
            KvmFeature.NOP_IO_DELAY,
            KvmFeature.PV_EOI,
            KvmFeature.PV_SEND_IPI);
    /// The engine on which guest code is executed, speculated on and protected as on the bare processor. In
    /// software nothing that a guest does against speculation would help it: its branches and checks are not the
    /// host's.
    private static final String HARDWARE = "kvm";

    private static final int MTRR_PHYS_BASE_0 = 0x200;
    private static final int MTRR_PHYS_MASK_0 = 0x201;
    private static final int MTRR_DEFAULT_TYPE = 0x2ff;
    private static final long MTRR_ENABLE = 1 << 11;
    private static final long MTRR_UNCACHEABLE = 0;
    private static final long MTRR_WRITE_BACK = 6;

    private final BootLoader boot;
    private final MemoryMap map;
    private final FirmwareTables tables;
    private final CpuidTable cpuid;
    private final HostClock clock;
    private final HostPlacement placement;
    private final GuestMemory memory;
    private final PcBoard board;
    private final MachineDisks disks;
    private final PcDevices devices;
    private final Vm vm;
    private final List<Vcpu> vcpus = new ArrayList<>();
    private final BusExits.Unhandled unhandled = new BusExits.Unhandled();
    private final Cleanup cleanup = new Cleanup();

    PcMachine(VmConfig config, Hypervisor hypervisor, PowerControl power, LiveDisk.StopRequest stopRequest) {
        boolean done = false;
        try {
            cleanup.add(() -> closeBackends(config));
            Set<CpuFeature> features = config.cpu().resolve(hypervisor.name(), hypervisor.supportedFeatures());
            long tscHz = hypervisor.tscHz(WISHED_TSC_HZ);
            cpuid = cpuid(config, hypervisor, features, tscHz);
            EntropySource entropy = new SecureRandom()::nextBytes;
            Optional<FirmwareImage> firmware = config.boot() instanceof BootConfig.Firmware chosen
                    ? Optional.of(new FirmwareImage(chosen.image()))
                    : Optional.empty();
            map = new MemoryMap(
                    config.memoryBytes(), firmware.map(FirmwareImage::sizeBytes).orElse(0));
            boot = firmware.<BootLoader>map(image -> image).orElseGet(() -> kernel(config, map, entropy));
            placement = new HostPlacement(config.name(), config.host());
            cleanup.add(placement);
            memory = allocate(config, map);
            cleanup.add(memory);
            clock = new HostClock(config.name(), 0);
            cleanup.add(clock);
            disks = new MachineDisks(
                    config.disks(),
                    config.cdroms(),
                    new DrivePlaces(config.disks(), config.cdroms()),
                    clock,
                    stopRequest);
            cleanup.add(disks);
            var tsc = new TscClock(clock, tscHz);
            InterruptPlan plan = interruptPlan(config, hypervisor, features, tsc);
            vm = hypervisor.createVm(new VmSpec(config.name(), memory, cpuid, config.cpus(), tsc, plan.controllers()));
            cleanup.add(vm);
            BoardInterrupts interrupts = plan.board().apply(vm);
            cleanup.add(interrupts::disconnect);
            // Once more, and so before the VM: expiries reach into it.
            cleanup.add(clock);
            board = new PcBoard(config, map, clock, interrupts, power);
            tables = new FirmwareTables(config, map, board.isaDevices());
            devices = new PcDevices(config, map, board, tables, memory, vm, placement, entropy, disks);
            cleanup.add(devices);
            for (int i = 0; i < config.cpus(); i++) {
                Vcpu vcpu = vm.createVcpu(i, interrupts.exits(i, board.ports(), board.mmio(), unhandled));
                vcpus.add(vcpu);
                cleanup.add(vcpu);
            }
            done = true;
        } finally {
            if (!done) {
                cleanup.run();
            }
        }
    }

    private static CpuidTable cpuid(VmConfig config, Hypervisor hypervisor, Set<CpuFeature> features, long tscHz) {
        CpuIdentity identity = hypervisor.name().equals(HARDWARE) ? CpuIdentity.SPECULATIVE : CpuIdentity.IN_ORDER;
        return new CpuidBuilder(
                        identity, features, config.cpus(), tscHz, APIC_HZ, MemoryMap.PHYSICAL_ADDRESS_BITS, PARAVIRTUAL)
                .build(config.cpu().model().name(), config.cpu().paravirtualLeaves(hypervisor));
    }

    private static InterruptPlan interruptPlan(
            VmConfig config, Hypervisor hypervisor, Set<CpuFeature> features, TscClock tsc) {
        var apics =
                new ApicConfig(config.cpus(), MemoryMap.PHYSICAL_ADDRESS_BITS, features.contains(CpuFeature.X2APIC));
        return InterruptPlan.of(config.interrupts(), hypervisor.capabilities(), apics, tsc);
    }

    private static BootLoader kernel(VmConfig config, MemoryMap map, EntropySource entropy) {
        return switch (config.boot()) {
            case BootConfig.Kernel(var kernel, var initrd, var commandLine) ->
                KernelFile.of(new BootRequest(kernel, initrd, commandLine, map, FirmwareTables.RSDP_GPA, entropy));
            case BootConfig.Firmware _ -> throw new IllegalStateException("Firmware loads kernels itself");
        };
    }

    private static GuestMemory allocate(VmConfig config, MemoryMap map) {
        try {
            HostMemory host = GuestRam.allocate(
                    config.name(), map.backingBytes(), config.host().ram());
            return new GuestMemory(host.segment(), map.slots(), host::close);
        } catch (OutOfMemoryError e) {
            throw new HostFailureException(
                    "Not enough host memory for a guest of %s: give it less"
                            .formatted(MemoryMap.size(config.memoryBytes())),
                    e);
        }
    }

    /// Loads what is booted and puts every processor into its first state. No vCPU runs.
    void boot() {
        int signature = cpuid.leaf(1, 0).orElseThrow().eax();
        if (!boot.firmware()) {
            board.programLikeFirmware();
            tables.place().forEach((gpa, content) -> memory.write(gpa, content));
        }
        CpuState first = boot.load(memory, signature);
        Map<Integer, Long> msrs = boot.firmware() ? Map.of() : memoryTypes();
        for (Vcpu vcpu : vcpus) {
            CpuState state = vcpu.index() == 0 ? first : CpuState.reset(Activity.WAIT_FOR_SIPI, signature);
            vcpu.load(state.withMsrs(msrs));
        }
    }

    /// The memory type range registers as firmware leaves them: everything write-back but for the hole below 4 GiB.
    private static Map<Integer, Long> memoryTypes() {
        long addressMask = (1L << MemoryMap.PHYSICAL_ADDRESS_BITS) - 1;
        long holeMask = addressMask & -(MemoryMap.FOUR_GIB - MemoryMap.LOW_RAM_END);
        return Map.of(
                MTRR_DEFAULT_TYPE, MTRR_ENABLE | MTRR_WRITE_BACK,
                MTRR_PHYS_BASE_0, MemoryMap.LOW_RAM_END | MTRR_UNCACHEABLE,
                MTRR_PHYS_MASK_0, holeMask | MTRR_ENABLE);
    }

    /// Resets all devices. No vCPU runs.
    void reset() {
        disks.giveUp(true);
        devices.reset();
        board.reset();
        disks.giveUp(false);
    }

    /// Lets guest time and the devices' own threads run. No vCPU runs yet.
    void go() {
        clock.start();
        board.interrupts().resume();
        vm.synchronizeClock();
        disks.release();
        devices.resume();
    }

    /// Stops guest time and the devices' own threads, after the requests under way: what the guest can see stays as
    /// it is. No vCPU runs any more.
    void stand() {
        disks.hurry();
        devices.pause();
        clock.stop();
        board.interrupts().pause();
    }

    /// Any thread.
    boolean pressPowerButton() {
        return board.powerManagement().pressPowerButton();
    }

    /// Any thread.
    void nmi() {
        board.interrupts().nmi();
    }

    /// The guest has ended: no device does anything any more.
    void quiesce() {
        disks.giveUp(true);
        devices.close();
    }

    PcDevices devices() {
        return devices;
    }

    HostPlacement placement() {
        return placement;
    }

    HostClock clock() {
        return clock;
    }

    GuestMemory memory() {
        return memory;
    }

    PcBoard board() {
        return board;
    }

    MemoryMap map() {
        return map;
    }

    MachineDisks disks() {
        return disks;
    }

    BusExits.Unhandled unhandled() {
        return unhandled;
    }

    List<Vcpu> vcpus() {
        return List.copyOf(vcpus);
    }

    String bootDescription() {
        return boot.description();
    }

    /// Frees everything, the latest first. No vCPU thread is alive.
    void close() {
        cleanup.run();
    }

    private static void closeBackends(VmConfig config) {
        var cleanup = new Cleanup();
        config.serials().forEach(backend -> cleanup.add(backend));
        config.consoles().forEach(backend -> cleanup.add(backend));
        config.debugConsole().ifPresent(backend -> cleanup.add(backend));
        config.disks().forEach(disk -> cleanup.add(disk.backend()));
        config.cdroms().forEach(cdrom -> cleanup.add(cdrom.tray()));
        cleanup.run();
    }
}
