/// The machine's devices: interrupt controllers, timers, power management, legacy ports, fw_cfg, PCI and virtio.
module org.jvirt.devices {
    requires transitive org.jvirt.core;
    requires static transitive org.jspecify;

    exports org.jvirt.devices;
    exports org.jvirt.devices.acpi;
    exports org.jvirt.devices.ahci;
    exports org.jvirt.devices.fwcfg;
    exports org.jvirt.devices.interrupt;
    exports org.jvirt.devices.legacy;
    exports org.jvirt.devices.nvme;
    exports org.jvirt.devices.pci;
    exports org.jvirt.devices.scsi;
    exports org.jvirt.devices.storage;
    exports org.jvirt.devices.testdev;
    exports org.jvirt.devices.time;
    exports org.jvirt.devices.virtio;
    exports org.jvirt.devices.virtio.block;
    exports org.jvirt.devices.virtio.console;
    exports org.jvirt.devices.virtio.rng;
    exports org.jvirt.devices.virtio.scsi;
    exports org.jvirt.devices.work;
}
