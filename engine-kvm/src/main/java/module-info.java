/// The engine at hardware speed: what `/dev/kvm` leaves to user space.
module org.jvirt.engine.kvm {
    requires transitive org.jvirt.core;
    requires org.jvirt.linux;
    requires static org.jspecify;

    exports org.jvirt.engine.kvm;
}
