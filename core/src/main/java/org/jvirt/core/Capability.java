package org.jvirt.core;

/// What an engine brings along, so that the machine need not.
public enum Capability {
    /// The engine can bring local APICs, IO-APIC and 8259 pair of its own: where [VmSpec#interrupts] is empty, it
    /// does. Nothing of theirs (ports 0x20, 0xA0, 0x4D0, both register pages, the APIC's MSRs) then reaches
    /// [ExitHandler], and their state goes through [Vm#saveInterrupts].
    IN_KERNEL_INTERRUPTS,
    /// The engine can bring the local APICs alone: where [InterruptController#hasLocalApics] denies, it does. Their
    /// state goes through [Vm#saveLocalApics].
    LOCAL_APICS,
    /// With [#IN_KERNEL_INTERRUPTS] comes an 8254 at ports 0x40–0x43 and its half of port 0x61; its state goes
    /// through [Vm#savePit].
    IN_KERNEL_PIT,
    /// The engine keeps the guest's clocks (TSC, kvm-clock) itself, and wants [Vm#synchronizeClock].
    OWN_CLOCK,
    /// [Doorbell#listen] works.
    DOORBELLS,
    /// [MsiSink#route] is faster than [MsiSink#send].
    MSI_ROUTES,
    /// [Vcpu#debug] works.
    GUEST_DEBUG,
    /// The engine answers Hyper-V's hypercalls and synthetic registers where the CPUID table announces them.
    HYPERV,
    /// [Vm#takeDirtyPages] works.
    DIRTY_LOG,
    /// Several vCPUs run in parallel.
    SMP
}
