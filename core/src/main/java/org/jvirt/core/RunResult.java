package org.jvirt.core;

/// Why [Vcpu#run] returned.
public sealed interface RunResult {
    /// Somebody called [Vcpu#kick].
    record Kicked() implements RunResult {}

    /// The processor shut down: an exception while delivering a double fault.
    ///
    /// @param gva where the guest was
    record TripleFault(long gva) implements RunResult {}

    /// The engine cannot go on with this guest.
    ///
    /// @param report what happened, for a person
    record Stuck(String report) implements RunResult {}

    /// A guest-debug event for the debugger: breakpoint or single step.
    ///
    /// @param gva where the guest stopped
    record Debug(long gva) implements RunResult {}

    RunResult KICKED = new Kicked();
}
