/// Disk images as block backends.
module org.jvirt.images {
    requires com.github.luben.zstd_jni;
    requires transitive org.jvirt.core;
    requires org.jvirt.linux;
    requires static transitive org.jspecify;
    requires tools.jackson.core;

    exports org.jvirt.images;
    exports org.jvirt.images.file;
    exports org.jvirt.images.format;
    exports org.jvirt.images.nbd;
    exports org.jvirt.images.nbd.server;
    exports org.jvirt.images.job;
    exports org.jvirt.images.live;
    exports org.jvirt.images.overlay;
    exports org.jvirt.images.tool;
}
