/// The engine that needs no help from hardware: memory management, interpreter, translator.
module org.jvirt.engine.soft {
    requires jdk.jfr;
    requires transitive org.jvirt.core;
    requires org.jvirt.linux;
    requires org.jvirt.x86;
    requires static org.jspecify;

    exports org.jvirt.engine.soft;
}
