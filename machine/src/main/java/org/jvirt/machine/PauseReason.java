package org.jvirt.machine;

/// Why a machine is paused.
public enum PauseReason {
    /// Somebody asked for it.
    USER,
    /// A disk failed, and holds the request until the machine goes on.
    IO_ERROR,
    /// A processor met a breakpoint.
    DEBUGGER
}
