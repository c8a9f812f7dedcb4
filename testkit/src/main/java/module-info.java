/// Hand-written fakes and small helpers that the tests of every module share.
module org.jvirt.testkit {
    requires transitive org.jvirt.core;
    requires static org.jspecify;

    exports org.jvirt.testkit;
}
