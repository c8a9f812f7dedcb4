/// Programs that use jvirt as a library.
module org.jvirt.examples {
    requires org.jvirt.machine;
    requires static org.jspecify;
}
