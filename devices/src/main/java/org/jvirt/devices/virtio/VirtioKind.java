package org.jvirt.devices.virtio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jvirt.devices.pci.DeviceName;

/// The kinds of virtio device there are here, with their numbers (virtio §5).
public enum VirtioKind {
    BLOCK(2, 0x010000, "blk", "disk"),
    CONSOLE(3, 0x078000, "serial", "serial bus with a console"),
    RNG(4, 0x00ff00, "rng", "random numbers from the host"),
    SCSI(8, 0x010000, "scsi", "SCSI controller");

    private static final int FIRST_PCI_DEVICE_ID = 0x1040;

    private final int deviceType;
    private final int classCode;
    private final String shortName;
    private final String description;

    VirtioKind(int deviceType, int classCode, String shortName, String description) {
        this.deviceType = deviceType;
        this.classCode = classCode;
        this.shortName = shortName;
        this.description = description;
    }

    /// The device ID of the specification.
    public int deviceType() {
        return deviceType;
    }

    int pciDeviceId() {
        return FIRST_PCI_DEVICE_ID + deviceType;
    }

    int classCode() {
        return classCode;
    }

    /// How a user names it.
    public DeviceName deviceName() {
        String name = "virtio-" + shortName;
        var aliases = new ArrayList<>(List.of(name, name + "-pci-non-transitional"));
        if (this == CONSOLE) {
            aliases.addAll(List.of("virtio-console-pci", "virtio-console"));
        }
        return new DeviceName(name + "-pci", aliases, "virtio 1.2 " + description);
    }

    /// All of them, for a list of devices.
    public static List<DeviceName> deviceNames() {
        return Arrays.stream(values()).map(VirtioKind::deviceName).toList();
    }
}
