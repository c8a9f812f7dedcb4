package org.jvirt.machine;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.CharBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.cpu.CpuChoice;
import org.jvirt.machine.host.HostSettings;
import org.jvirt.machine.layout.MemoryMap;

/// Everything a machine is made of. The record checks itself; backends belong to the machine once it is built.
///
/// @param name         for thread names, SMBIOS and messages
/// @param uuid         tells the machine from all others
/// @param memoryBytes  RAM
/// @param cpus         processors, 1 to 255
/// @param cpu          what they claim to be
/// @param serials      the ends of COM1 to COM4, from the first
/// @param disks        in the order they are booted from
/// @param cdroms       booted from after the disks
/// @param consoles     the ends of virtio consoles
/// @param rng          whether there is a virtio random number generator
/// @param debugConsole where bytes written to port 0xE9 (and SeaBIOS's 0x402) go
/// @param testDevices  devices that test kernels expect
/// @param reboot       whether a guest's reset restarts the machine; otherwise it ends it
/// @param startPaused  whether [VirtualMachine#start] waits for [VirtualMachine#resume]
/// @param rtcOffsetNanos how far the guest's real-time clock is ahead of the host's UTC
/// @param host         what the host gives it
/// @param interrupts   who has the interrupt controllers
public record VmConfig(
        String name,
        UUID uuid,
        long memoryBytes,
        int cpus,
        CpuChoice cpu,
        BootConfig boot,
        List<CharBackend> serials,
        List<Disk> disks,
        List<Cdrom> cdroms,
        List<CharBackend> consoles,
        boolean rng,
        Optional<CharBackend> debugConsole,
        List<TestDevice> testDevices,
        boolean reboot,
        boolean startPaused,
        long rtcOffsetNanos,
        HostSettings host,
        InterruptHome interrupts) {
    public static final int MAXIMUM_CPUS = 255;
    public static final int MAXIMUM_SERIALS = 4;
    /// Of those that are PCI functions of their own, virtio and NVMe: device numbers 8 to 23 of bus 0.
    public static final int MAXIMUM_DISKS = 16;

    /// A disk.
    ///
    /// @param serial what the guest reads as its serial number, at most 20 bytes
    /// @param live   how it behaves while the machine runs, and how the monitor names it: where the id is empty, by
    ///               its place, as `virtio0`
    public record Disk(BlockBackend backend, String serial, LiveSettings live, DriveShape shape) {
        public Disk {
            if (serial.length() > 20) {
                throw new UserErrorException(
                        "Disk serial '%s' has %d characters: 20 fit".formatted(serial, serial.length()));
            }
        }

        /// A virtio disk.
        public Disk(BlockBackend backend, String serial) {
            this(backend, serial, LiveSettings.DEFAULT, DriveShape.DEFAULT);
        }
    }

    /// A CD-ROM drive, on SATA or SCSI.
    ///
    /// @param id   how the monitor names it; empty: by its place, as `ide2-cd0`
    /// @param live how discs behave in it, and are opened by the monitor
    public record Cdrom(String id, Tray tray, LiveSettings live, DriveShape shape) {
        /// Without limits.
        public Cdrom(String id, Tray tray, DriveShape shape) {
            this(id, tray, LiveSettings.DEFAULT, shape);
        }

        public Cdrom {
            switch (shape.bus()) {
                case SATA, SCSI -> {}
                case VIRTIO, NVME ->
                    throw new UserErrorException(
                            "A CD-ROM drive cannot be on %s: take sata or scsi".formatted(shape.bus()));
            }
        }
    }

    /// What test kernels find on the machine.
    public sealed interface TestDevice {
        /// `isa-debug-exit`: a write ends the machine.
        ///
        /// @param port      first port
        /// @param sizeBytes how many ports, 1 to 4
        record DebugExit(int port, int sizeBytes) implements TestDevice {
            public DebugExit {
                if (port < 0 || sizeBytes < 1 || sizeBytes > 4 || port + sizeBytes > 0x1_0000) {
                    throw new UserErrorException(
                            "isa-debug-exit at 0x%x, %d bytes: give iobase up to 0xffff and iosize 1 to 4"
                                    .formatted(port, sizeBytes));
                }
            }
        }

        /// `pc-testdev`.
        record Pc() implements TestDevice {}

        /// `pci-testdev`.
        record Pci() implements TestDevice {}
    }

    public VmConfig {
        if (name.isBlank()) {
            throw new UserErrorException("A machine needs a name that is not blank");
        }
        if (cpus < 1 || cpus > MAXIMUM_CPUS) {
            throw new UserErrorException(
                    "A machine has 1 to %d CPUs, not %d: give another number".formatted(MAXIMUM_CPUS, cpus));
        }
        if (serials.size() > MAXIMUM_SERIALS) {
            throw new UserErrorException(
                    "A PC has %d serial ports, not %d: leave some out".formatted(MAXIMUM_SERIALS, serials.size()));
        }
        host.check(cpus);
        // Checks the size.
        var _ = new MemoryMap(memoryBytes, 0);
        if (testDevices.stream().distinct().count() < testDevices.size()) {
            throw new UserErrorException("Each test device can be given once");
        }
        serials = List.copyOf(serials);
        disks = List.copyOf(disks);
        cdroms = List.copyOf(cdroms);
        // Checks that all find a place.
        var _ = new DrivePlaces(disks, cdroms);
        consoles = List.copyOf(consoles);
        testDevices = List.copyOf(testDevices);
    }
}
