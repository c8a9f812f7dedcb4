package org.jvirt.machine;

/// Who has a machine's interrupt controllers and 8254.
public enum InterruptHome {
    /// The engine, where it can: the fastest.
    ENGINE,
    /// The machine, always.
    MACHINE
}
