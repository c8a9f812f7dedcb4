package org.jvirt.core;

/// What an engine brings along, so that the machine need not.
public enum Capability {
    /// The engine has its own local APICs, IO-APIC and 8259 pair; [VmSpec#interrupts] is empty for it.
    IN_KERNEL_INTERRUPTS,
    /// [Vm#takeDirtyPages] works.
    DIRTY_LOG,
    /// Several vCPUs run in parallel.
    SMP
}
