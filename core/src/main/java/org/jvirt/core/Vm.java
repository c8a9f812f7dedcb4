package org.jvirt.core;

/// A virtual machine as an engine sees it: memory, vCPUs and the way in for interrupts.
///
/// [#createVcpu] and [#close] belong to one thread; the rest is thread-safe.
public interface Vm extends AutoCloseable {
    /// Makes vCPU `index` in its power-on state: 0 ready to run at the reset vector, the others waiting for a SIPI.
    ///
    /// @param io answers this vCPU's port and MMIO accesses, on the thread that calls [Vcpu#run]
    Vcpu createVcpu(int index, ExitHandler io);

    /// The global system interrupt `gsi`: 0–15 go to the 8259 pair and IO-APIC both, 16–23 to the IO-APIC.
    InterruptLine irq(int gsi);

    MsiSink msi();

    /// Takes and clears the pages of `slot` written since the last call. The first call switches logging on and
    /// answers that every page is dirty.
    DirtyPages takeDirtyPages(MemorySlot slot);

    /// Frees what the engine holds. All vCPUs must have left [Vcpu#run].
    @Override
    void close();
}
