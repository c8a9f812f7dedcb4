package org.jvirt.core;

/// The pins of a vCPU, as interrupt controllers drive them. Any thread; never blocks.
public interface VcpuSignals {
    /// [LocalInterrupts#pending] may have become true.
    void interruptPending();

    void nmi();

    void init();

    /// A start-up IPI: begin at `vector << 12` if waiting for one.
    void startup(int vector);
}
