/// Linux system calls through `java.lang.foreign`: the only module that links native functions.
module org.jvirt.linux {
    requires transitive org.jvirt.core;
    requires static org.jspecify;

    exports org.jvirt.linux;
}
