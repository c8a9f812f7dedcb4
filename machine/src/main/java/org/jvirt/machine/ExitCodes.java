package org.jvirt.machine;

/// The exit codes of the `jvirt` command, all in one place. `isa-debug-exit` gives odd numbers only (twice the
/// value written, plus one), so the codes of jvirt's own are even.
///
/// | code | meaning |
/// |---|---|
/// | 0 | the guest powered off, or reset with `--no-reboot`, or the user quit |
/// | odd | the guest wrote to `isa-debug-exit` |
/// | 64 | the user asked for something that cannot be |
/// | 68 | the start script found no JDK |
/// | 70 | the guest's processor shut down: triple fault |
/// | 72 | the engine could not go on |
/// | 74 | the host failed: a system call, a disk, memory |
/// | 76 | a bug in jvirt |
/// | 78 | the start script could not build jvirt |
public final class ExitCodes {
    public static final int OK = 0;
    public static final int USER_ERROR = 64;
    public static final int TRIPLE_FAULT = 70;
    public static final int ENGINE_FAILED = 72;
    public static final int HOST_FAILURE = 74;
    public static final int BUG = 76;

    private ExitCodes() {}
}
