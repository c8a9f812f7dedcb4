package org.jvirt.cli.qemu;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.VmConfig.TestDevice;

/// The `-device` option. Not thread-safe.
final class Devices {
    private static final Map<String, String> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("isa-debug-exit", "ends the program with exit code 2*value+1 (iobase, iosize)"),
            Map.entry("isa-serial", "serial line (chardev)"),
            Map.entry("pc-testdev", "test device of kvm-unit-tests"),
            Map.entry("pci-testdev", "PCI test device"),
            Map.entry("virtio-blk-pci", "disk (drive, serial)"),
            Map.entry("virtio-rng-pci", "random numbers"),
            Map.entry("virtio-serial-pci", "bus for virtconsole"),
            Map.entry("virtconsole", "console on virtio (chardev)")));
    private static final Map<String, String> ALIASES = Map.of(
            "virtio-blk", "virtio-blk-pci",
            "virtio-blk-pci-non-transitional", "virtio-blk-pci",
            "virtio-rng", "virtio-rng-pci",
            "virtio-rng-pci-non-transitional", "virtio-rng-pci",
            "virtio-serial", "virtio-serial-pci",
            "virtio-serial-pci-non-transitional", "virtio-serial-pci");
    private static final Set<String> NO_CONSEQUENCE = Set.of(
            "id", "bus", "addr", "disable-legacy", "disable-modern", "max_ports", "rng", "bootindex", "name", "nr");

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
        values.ignore(NO_CONSEQUENCE);
        switch (driver) {
            case "isa-debug-exit" ->
                options.addTestDevice(
                        new TestDevice.DebugExit(values.takeNumber("iobase", 0x501), values.takeNumber("iosize", 2)));
            case "pc-testdev" -> options.addTestDevice(new TestDevice.Pc());
            case "pci-testdev" -> options.addTestDevice(new TestDevice.Pci());
            case "virtio-rng-pci" -> options.addRng();
            case "virtio-serial-pci" -> {}
            case "virtconsole" -> options.addVirtioConsole(chardev(values));
            case "isa-serial" -> options.addSerial(chardev(values));
            case "virtio-blk-pci" -> {
                DiskOption disk = drives.take("-device " + driver, values.takeRequired("drive"));
                Optional<String> serial = values.take("serial").or(disk::serial);
                options.addDisk(disk.withSerial(serial));
            }
            default ->
                throw new UserErrorException(
                        "-device: '%s' is not supported. The nearest that is: %s; -device '?' lists all."
                                .formatted(given, Suggestion.nearest(given, KNOWN.keySet())));
        }
        values.end(Set.of("iobase", "iosize", "drive", "serial", "chardev", "id", "rng"));
    }

    private SerialTarget chardev(KeyValues values) {
        return chardevs.byId("-device", values.takeRequired("chardev"));
    }
}
