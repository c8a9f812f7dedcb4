/// The vocabulary every other module speaks: guest memory, hypervisor, vCPU, bus, device, interrupt, clock,
/// backends.
module org.jvirt.core {
    requires static transitive org.jspecify;

    exports org.jvirt.core;
    exports org.jvirt.core.cpu;
    exports org.jvirt.core.interrupt;
}
