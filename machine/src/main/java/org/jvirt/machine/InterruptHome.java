package org.jvirt.machine;

/// Who has a machine's interrupt controllers and 8254.
public enum InterruptHome {
    /// The engine, where it can: the fastest.
    ENGINE,
    /// The engine has the local APICs, where it can; the machine has the rest.
    SPLIT,
    /// The machine, always.
    MACHINE
}
