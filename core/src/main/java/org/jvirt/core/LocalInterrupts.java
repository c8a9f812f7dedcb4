package org.jvirt.core;

/// A local APIC as its own processor sees it, apart from the memory-mapped page, which is reached as MMIO.
///
/// Called on the vCPU's thread only; [#pending] is cheap enough to be asked at every block of guest code after a
/// [VcpuSignals#interruptPending].
public interface LocalInterrupts {
    /// What [#acknowledge] answers when the interrupt went away.
    int NONE = -1;

    /// Whether an interrupt of sufficient priority waits (from the APIC, or from the 8259 pair through it).
    boolean pending();

    /// Takes the highest interrupt into service and answers its vector, or [#NONE].
    int acknowledge();

    /// Whether the interrupt in service with this vector is edge-triggered and alone, so that its end needs no
    /// action but [#endOfInterrupt]: the condition for paravirtual EOI. After the answer true and until
    /// [#endOfInterrupt], every interrupt that arrives is reported through [VcpuSignals#interruptPending], even one
    /// that the interrupt in service holds back: its end may be known to the guest alone.
    boolean allowsSilentEnd(int vector);

    /// The write to the EOI register.
    void endOfInterrupt();

    /// CR8: bits 7–4 of the task-priority register, 0–15.
    int taskPriority();

    void setTaskPriority(int priority);

    /// `IA32_APIC_BASE`.
    long apicBase();

    /// @throws InvalidMsrException for reserved bits and forbidden mode changes
    void setApicBase(long value);

    /// The x2APIC registers, MSR 0x800–0x8FF.
    ///
    /// @throws InvalidMsrException if not in x2APIC mode, or no such register
    long readMsr(int msr);

    /// @throws InvalidMsrException if not in x2APIC mode, no such register, or reserved bits set
    void writeMsr(int msr, long value);

    /// `IA32_TSC_DEADLINE`; 0 when disarmed.
    long tscDeadline();

    void setTscDeadline(long ticks);
}
