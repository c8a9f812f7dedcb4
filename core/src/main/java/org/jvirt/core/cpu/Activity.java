package org.jvirt.core.cpu;

/// Whether a processor executes.
public enum Activity {
    RUNNING,
    /// After HLT or MWAIT, until an interrupt.
    HALTED,
    /// After INIT, until a start-up IPI.
    WAIT_FOR_SIPI,
    /// After a triple fault, until INIT or reset.
    SHUTDOWN
}
