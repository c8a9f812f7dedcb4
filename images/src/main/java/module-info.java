/// Disk images as block backends.
module org.jvirt.images {
    requires transitive org.jvirt.core;
    requires static transitive org.jspecify;

    exports org.jvirt.images;
    exports org.jvirt.images.overlay;
}
