/// A running virtual machine: memory map, wiring, firmware tables and boot, run loop, monitor.
module org.jvirt.machine {
    requires transitive org.jvirt.core;
    requires org.jvirt.devices;
    requires org.jvirt.engine.kvm;
    requires org.jvirt.engine.soft;
    requires transitive org.jvirt.images;
    requires org.jvirt.linux;
    requires org.jvirt.x86;
    requires static org.jspecify;

    exports org.jvirt.machine;
    exports org.jvirt.machine.chardev;
    exports org.jvirt.machine.cpu;
    exports org.jvirt.machine.host;
    exports org.jvirt.machine.layout;
    exports org.jvirt.machine.monitor;
}
