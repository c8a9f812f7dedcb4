package org.jvirt.machine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.CharBackend;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.cpu.CpuChoice;
import org.jvirt.machine.host.HostSettings;
import org.jvirt.machine.host.NumberSet;
import org.jvirt.machine.host.RamSettings;

/// Collects what a machine is to be. Not thread-safe.
///
/// Without being told otherwise a machine has 512 MiB, one processor of model `x86-64-v2`, no serial port, and
/// reboots when its guest does.
public final class VirtualMachineBuilder {
    private static final AtomicInteger NEXT_NUMBER = new AtomicInteger(1);
    private static final long MIB = 1L << 20;

    private final List<CharBackend> serials = new ArrayList<>();
    private final List<VmConfig.Disk> disks = new ArrayList<>();
    private final List<VmConfig.Cdrom> cdroms = new ArrayList<>();
    private final List<CharBackend> consoles = new ArrayList<>();
    private final List<VmConfig.TestDevice> testDevices = new ArrayList<>();
    private String name = "vm" + NEXT_NUMBER.getAndIncrement();
    private UUID uuid = UUID.randomUUID();
    private long memoryBytes = 512 * MIB;
    private int cpus = 1;
    private CpuChoice cpu = CpuChoice.DEFAULT;
    private @Nullable Path kernel;
    private @Nullable Path initrd;
    private @Nullable Path firmware;
    private String commandLine = "";
    private boolean rng;
    private @Nullable CharBackend debugConsole;
    private boolean reboot = true;
    private boolean startPaused;
    private long rtcOffsetNanos;
    private HostSettings host = HostSettings.DEFAULT;
    private InterruptHome interrupts = InterruptHome.ENGINE;
    private @Nullable Hypervisor engine;

    VirtualMachineBuilder() {}

    public VirtualMachineBuilder name(String newName) {
        name = newName;
        return this;
    }

    public VirtualMachineBuilder uuid(UUID newUuid) {
        uuid = newUuid;
        return this;
    }

    /// A Linux bzImage, an ELF kernel with a PVH note, or a multiboot kernel.
    public VirtualMachineBuilder kernel(Path file) {
        kernel = file;
        return this;
    }

    public VirtualMachineBuilder initrd(Path file) {
        initrd = file;
        return this;
    }

    /// The kernel's command line.
    public VirtualMachineBuilder append(String text) {
        commandLine = text;
        return this;
    }

    /// SeaBIOS, OVMF or the like.
    public VirtualMachineBuilder firmware(Path image) {
        firmware = image;
        return this;
    }

    /// RAM in MiB.
    public VirtualMachineBuilder memory(long mib) {
        if (mib < 0 || mib > Long.MAX_VALUE / MIB) {
            throw new UserErrorException("Memory of %d MiB is no amount of memory".formatted(mib));
        }
        return memoryBytes(mib * MIB);
    }

    public VirtualMachineBuilder memoryBytes(long bytes) {
        memoryBytes = bytes;
        return this;
    }

    public VirtualMachineBuilder cpus(int count) {
        cpus = count;
        return this;
    }

    /// `MODEL[,+feature][,-feature]`: see [CpuChoice#parse].
    public VirtualMachineBuilder cpu(String choice) {
        return cpu(CpuChoice.parse(choice));
    }

    public VirtualMachineBuilder cpu(CpuChoice choice) {
        cpu = choice;
        return this;
    }

    /// The next serial port, COM1 first.
    public VirtualMachineBuilder serial(CharBackend backend) {
        serials.add(backend);
        return this;
    }

    /// One more virtio console, `hvc0` first.
    public VirtualMachineBuilder console(CharBackend backend) {
        consoles.add(backend);
        return this;
    }

    /// One more virtio disk, `vda` first.
    public VirtualMachineBuilder disk(BlockBackend backend) {
        return disk(backend, "");
    }

    /// @param serial the disk's serial number
    public VirtualMachineBuilder disk(BlockBackend backend, String serial) {
        return disk(backend, serial, LiveSettings.DEFAULT);
    }

    /// @param live how it behaves while the machine runs, and the name by which it is found
    public VirtualMachineBuilder disk(BlockBackend backend, String serial, LiveSettings live) {
        return disk(backend, serial, live, DriveShape.DEFAULT);
    }

    /// One more disk on any bus.
    public VirtualMachineBuilder disk(BlockBackend backend, String serial, LiveSettings live, DriveShape shape) {
        disks.add(new VmConfig.Disk(backend, serial, live, shape));
        return this;
    }

    /// One more CD-ROM drive, on SATA or SCSI.
    ///
    /// @param id     how the monitor is to name it; empty: by its place
    /// @param medium what is in it at first
    public VirtualMachineBuilder cdrom(String id, Optional<BlockBackend> medium, DriveShape shape) {
        return cdrom(id, medium, LiveSettings.DEFAULT, shape);
    }

    /// @param live how discs behave in the drive while the machine runs; its id does not count
    public VirtualMachineBuilder cdrom(String id, Optional<BlockBackend> medium, LiveSettings live, DriveShape shape) {
        cdroms.add(new VmConfig.Cdrom(id, new Tray(medium), live, shape));
        return this;
    }

    /// A virtio random number generator.
    public VirtualMachineBuilder rng() {
        rng = true;
        return this;
    }

    /// Where bytes written to ports 0xE9 and 0x402 go.
    public VirtualMachineBuilder debugConsole(CharBackend backend) {
        debugConsole = backend;
        return this;
    }

    public VirtualMachineBuilder testDevice(VmConfig.TestDevice device) {
        testDevices.add(device);
        return this;
    }

    /// Whether a guest's reset restarts the machine; otherwise it ends it.
    public VirtualMachineBuilder reboot(boolean restart) {
        reboot = restart;
        return this;
    }

    /// Makes [VirtualMachine#start] wait for [VirtualMachine#resume].
    public VirtualMachineBuilder startPaused() {
        startPaused = true;
        return this;
    }

    /// How far the guest's real-time clock is ahead of the host's UTC.
    public VirtualMachineBuilder rtcOffsetNanos(long nanos) {
        rtcOffsetNanos = nanos;
        return this;
    }

    /// What the host gives the machine: see [HostSettings].
    public VirtualMachineBuilder host(HostSettings settings) {
        host = settings;
        return this;
    }

    /// What the RAM is made of, and whether it is there for certain.
    public VirtualMachineBuilder ram(RamSettings settings) {
        return host(host.withRam(settings));
    }

    /// The host CPUs that a processor of the machine may run on, written as `0-1,4`.
    public VirtualMachineBuilder cpuAffinity(int vcpu, String hostCpus) {
        var sets = new TreeMap<>(host.vcpuAffinity());
        sets.put(vcpu, NumberSet.parse("CPU affinity", hostCpus));
        return host(host.withVcpuAffinity(sets));
    }

    /// The host CPUs that the devices' threads may run on.
    public VirtualMachineBuilder ioAffinity(String hostCpus) {
        return host(host.withIoAffinity(NumberSet.parse("I/O affinity", hostCpus)));
    }

    /// Who has the interrupt controllers; matters only on an engine that has its own.
    public VirtualMachineBuilder interrupts(InterruptHome home) {
        interrupts = home;
        return this;
    }

    /// The engine to run on, instead of the best one this host has.
    public VirtualMachineBuilder engine(Hypervisor hypervisor) {
        engine = hypervisor;
        return this;
    }

    /// The machine, switched off. Its backends now belong to it, also when this fails.
    ///
    /// @throws UserErrorException if the configuration cannot be
    /// @throws org.jvirt.core.HostFailureException if the host lacks resources
    public VirtualMachine build() {
        Hypervisor given = engine;
        VmConfig config;
        Hypervisor hypervisor;
        try {
            config = config();
            hypervisor = given == null ? Engines.best() : given;
        } catch (RuntimeException e) {
            closeBackends();
            throw e;
        }
        return new VirtualMachine(config, hypervisor);
    }

    private void closeBackends() {
        var cleanup = new Cleanup();
        serials.forEach(backend -> cleanup.add(backend));
        consoles.forEach(backend -> cleanup.add(backend));
        disks.forEach(disk -> cleanup.add(disk.backend()));
        cdroms.forEach(cdrom -> cleanup.add(cdrom.tray()));
        CharBackend debug = debugConsole;
        if (debug != null) {
            cleanup.add(debug);
        }
        cleanup.run();
    }

    /// The configuration collected so far.
    public VmConfig config() {
        return new VmConfig(
                name,
                uuid,
                memoryBytes,
                cpus,
                cpu,
                boot(),
                serials,
                disks,
                cdroms,
                consoles,
                rng,
                Optional.ofNullable(debugConsole),
                testDevices,
                reboot,
                startPaused,
                rtcOffsetNanos,
                host,
                interrupts);
    }

    private BootConfig boot() {
        Optional<BootConfig.Kernel> direct = Optional.ofNullable(kernel)
                .map(file -> new BootConfig.Kernel(file, Optional.ofNullable(initrd), commandLine));
        Path image = firmware;
        if (image != null) {
            return new BootConfig.Firmware(image, direct);
        }
        return direct.orElseThrow(
                () -> new UserErrorException("Nothing to boot: give a kernel, or firmware that finds something"));
    }
}
