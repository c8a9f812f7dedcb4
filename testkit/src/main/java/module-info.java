/// Hand-written fakes, small helpers and the contracts of engines, which the tests of several modules share.
module org.jvirt.testkit {
    requires transitive org.jvirt.core;
    requires static org.junit.jupiter.api;
    requires static org.junit.jupiter.params;
    requires static org.assertj.core;
    requires transitive org.jvirt.x86;
    requires static org.jspecify;

    exports org.jvirt.testkit;
    exports org.jvirt.testkit.contract;
}
