/// What jvirt's speed is measured with, side by side with its rivals.
module org.jvirt.benchmarks {
    requires info.picocli;
    requires org.jvirt.cli;
    requires org.jvirt.engine.kvm;
    requires org.jvirt.machine;
    requires org.jvirt.testkit;
    requires static org.jspecify;

    opens org.jvirt.benchmarks to
            info.picocli;
}
