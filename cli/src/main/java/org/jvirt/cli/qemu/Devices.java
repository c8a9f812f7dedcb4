package org.jvirt.cli.qemu;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.DriveOption;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.VmConfig.TestDevice;

/// The `-device` option. Not thread-safe.
final class Devices {
    private static final Map<String, String> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("ich9-ahci", "the chipset's SATA controller, six ports; every machine has room for one"),
            Map.entry("ide-cd", "SATA CD-ROM drive (drive, bus=ide.PORT)"),
            Map.entry("ide-hd", "SATA disk (drive, bus=ide.PORT, serial)"),
            Map.entry("nvme", "NVMe disk (drive, serial, max_ioqpairs)"),
            Map.entry("scsi-cd", "CD-ROM drive on virtio-scsi-pci (drive, scsi-id, lun)"),
            Map.entry("scsi-hd", "disk on virtio-scsi-pci (drive, scsi-id, lun, serial)"),
            Map.entry("virtio-scsi-pci", "SCSI controller for scsi-hd and scsi-cd"),
            Map.entry("isa-debug-exit", "ends the program with exit code 2*value+1 (iobase, iosize)"),
            Map.entry("isa-serial", "serial line (chardev)"),
            Map.entry("pc-testdev", "test device of kvm-unit-tests"),
            Map.entry("pci-testdev", "PCI test device"),
            Map.entry("virtio-blk-pci", "disk (drive, serial, num-queues)"),
            Map.entry("virtio-rng-pci", "random numbers"),
            Map.entry("virtio-serial-pci", "bus for virtconsole"),
            Map.entry("virtconsole", "console on virtio (chardev)")));
    private static final Map<String, String> ALIASES = Map.ofEntries(
            Map.entry("ahci", "ich9-ahci"),
            Map.entry("virtio-blk", "virtio-blk-pci"),
            Map.entry("virtio-blk-pci-non-transitional", "virtio-blk-pci"),
            Map.entry("virtio-rng", "virtio-rng-pci"),
            Map.entry("virtio-rng-pci-non-transitional", "virtio-rng-pci"),
            Map.entry("virtio-scsi", "virtio-scsi-pci"),
            Map.entry("virtio-scsi-pci-non-transitional", "virtio-scsi-pci"),
            Map.entry("virtio-serial", "virtio-serial-pci"),
            Map.entry("virtio-serial-pci-non-transitional", "virtio-serial-pci"));
    private static final Set<String> NO_CONSEQUENCE = Set.of(
            "id",
            "bus",
            "addr",
            "disable-legacy",
            "disable-modern",
            "max_ports",
            "rng",
            "bootindex",
            "name",
            "nr",
            "channel",
            "iothread",
            "num_queues",
            "write-cache",
            "share-rw",
            "rotation_rate");
    private static final int WHOLE_BLOCK = 512;

    private final Chardevs chardevs;
    private final Drives drives;

    Devices(Chardevs chardevs, Drives drives) {
        this.chardevs = chardevs;
        this.drives = drives;
    }

    /// What `-device '?'` prints.
    static String list() {
        return KNOWN.entrySet().stream()
                .map(e -> "name \"%s\", %s%n".formatted(e.getKey(), e.getValue()))
                .collect(Collectors.joining());
    }

    void add(String text, LaunchOptions options) {
        var values = new KeyValues("-device", "driver", text);
        String given = values.takeRequired("driver");
        String driver = ALIASES.getOrDefault(given, given);
        String bus = values.take("bus").orElse("");
        OptionalInt queues = number(values, driver.equals("nvme") ? "max_ioqpairs" : "num-queues");
        values.ignore(NO_CONSEQUENCE);
        switch (driver) {
            case "isa-debug-exit" ->
                options.addTestDevice(
                        new TestDevice.DebugExit(values.takeNumber("iobase", 0x501), values.takeNumber("iosize", 2)));
            case "pc-testdev" -> options.addTestDevice(new TestDevice.Pc());
            case "pci-testdev" -> options.addTestDevice(new TestDevice.Pci());
            case "virtio-rng-pci" -> options.addRng();
            case "virtio-serial-pci", "virtio-scsi-pci", "ich9-ahci" -> {}
            case "virtconsole" -> options.addVirtioConsole(chardev(values));
            case "isa-serial" -> options.addSerial(chardev(values));
            case "virtio-blk-pci" ->
                options.addDrive(
                        drive(driver, values, DriveShape.on(DriveBus.VIRTIO).withQueues(queues)));
            case "nvme" ->
                options.addDrive(
                        drive(driver, values, DriveShape.on(DriveBus.NVME).withQueues(queues)));
            case "ide-hd", "ide-cd" ->
                options.addDrive(
                        drive(driver, values, DriveShape.on(DriveBus.SATA).withUnit(port(bus), 0)));
            case "scsi-hd", "scsi-cd" ->
                options.addDrive(drive(
                        driver,
                        values,
                        DriveShape.on(DriveBus.SCSI).withUnit(number(values, "scsi-id"), values.takeNumber("lun", 0))));
            default ->
                throw new UserErrorException(
                        "-device: '%s' is not supported. The nearest that is: %s; -device '?' lists all."
                                .formatted(given, Suggestion.nearest(given, KNOWN.keySet())));
        }
        values.end(Set.of(
                "iobase", "iosize", "drive", "serial", "chardev", "id", "rng", "num-queues", "scsi-id", "lun", "bus"));
    }

    private DriveOption drive(String driver, KeyValues values, DriveShape shape) {
        boolean cdrom = driver.endsWith("-cd");
        Optional<Drives.Medium> medium = (cdrom ? values.take("drive") : Optional.of(values.takeRequired("drive")))
                .map(id -> drives.take("-device " + driver, id));
        Optional<String> serial = values.take("serial");
        int block = values.takeNumber("logical_block_size", WHOLE_BLOCK);
        int physical = values.takeNumber("physical_block_size", block);
        Optional<DiskOption> image = medium.flatMap(Drives.Medium::image)
                .map(disk -> disk.withSerial(serial.or(disk::serial)))
                .map(disk -> cdrom ? DriveOption.disc(disk) : disk);
        if (image.isEmpty() && !cdrom) {
            throw new UserErrorException("-device %s: its -drive has no file.".formatted(driver));
        }
        return new DriveOption(
                medium.map(Drives.Medium::id).orElse(""),
                image,
                cdrom,
                cdrom ? shape : shape.withBlocks(block, physical));
    }

    /// The port in `ide.2`, or in `ahci.2` of a controller that the user named.
    private static OptionalInt port(String bus) {
        int dot = bus.lastIndexOf('.');
        if (dot < 0) {
            return OptionalInt.empty();
        }
        try {
            return OptionalInt.of(Integer.parseInt(bus.substring(dot + 1)));
        } catch (NumberFormatException e) {
            throw new UserErrorException("-device: bus=%s names no port: write bus=ide.0.".formatted(bus), e);
        }
    }

    private static OptionalInt number(KeyValues values, String key) {
        int value = values.takeNumber(key, -1);
        return value < 0 ? OptionalInt.empty() : OptionalInt.of(value);
    }

    private SerialTarget chardev(KeyValues values) {
        return chardevs.byId("-device", values.takeRequired("chardev"));
    }
}
