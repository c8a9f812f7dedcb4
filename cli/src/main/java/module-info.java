/// The `jvirt` command.
module org.jvirt.cli {
    requires info.picocli;
    requires java.logging;
    requires org.jvirt.core;
    requires org.jvirt.images;
    requires org.jvirt.linux;
    requires org.jvirt.machine;
    requires static org.jspecify;

    exports org.jvirt.cli.debian;
    exports org.jvirt.cli.image;

    opens org.jvirt.cli to
            info.picocli;
    opens org.jvirt.cli.image to
            info.picocli;
    opens org.jvirt.cli.img to
            info.picocli;
    opens org.jvirt.cli.nbd to
            info.picocli;
}
