package org.jvirt.cli.launch;

/// Which jvirt this is.
public final class ProgramVersion {
    private ProgramVersion() {}

    /// The module's version, which the build records; "development" outside a built jar.
    public static String number() {
        var descriptor = ProgramVersion.class.getModule().getDescriptor();
        return descriptor == null ? "development" : descriptor.rawVersion().orElse("development");
    }
}
