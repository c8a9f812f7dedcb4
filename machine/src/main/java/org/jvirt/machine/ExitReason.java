package org.jvirt.machine;

/// Why a machine ended.
public sealed interface ExitReason {
    /// The guest switched the power off.
    record PoweredOff() implements ExitReason {}

    /// The guest asked for a reset of a machine that was told not to reboot.
    record ResetRequested() implements ExitReason {}

    /// The guest wrote to `isa-debug-exit`.
    ///
    /// @param code the exit code the device asks for: twice the value written, plus one
    record DebugExit(int code) implements ExitReason {}

    /// A processor shut down because of an exception while it delivered a double fault.
    ///
    /// @param report which processor, where, and its registers
    record TripleFault(String report) implements ExitReason {}

    /// The engine, or jvirt itself, could not go on.
    record EngineFailed(String report) implements ExitReason {}

    /// The user ended the machine.
    record Killed() implements ExitReason {}

    /// What the process that runs the machine should exit with; see [ExitCodes].
    default int exitCode() {
        return switch (this) {
            case PoweredOff _, ResetRequested _, Killed _ -> ExitCodes.OK;
            case DebugExit exit -> exit.code() & 0xff;
            case TripleFault _ -> ExitCodes.TRIPLE_FAULT;
            case EngineFailed _ -> ExitCodes.ENGINE_FAILED;
        };
    }
}
