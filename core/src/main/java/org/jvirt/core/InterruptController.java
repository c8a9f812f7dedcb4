package org.jvirt.core;

/// The interrupt controllers of a machine whose engine has none of its own, or no more than local APICs: 8259 pair,
/// IO-APIC and, unless the engine has them, local APICs. The engine learns about interrupts only through this.
/// Thread-safe.
public interface InterruptController {
    InterruptLine line(int gsi);

    MsiSink msi();

    /// Whether the local APICs are among them. If not, [#local] knows of vCPU 0 what the 8259 pair asks, and
    /// nothing else; and [#msi] belongs to the engine.
    default boolean hasLocalApics() {
        return true;
    }

    /// What vCPU `index` asks of its local APIC.
    LocalInterrupts local(int index);

    /// An engine with local APICs of its own tells the machine's IO-APIC that an interrupt has ended.
    default void vectorEnded(int vector) {
        // the local APICs of the machine tell it themselves
    }

    /// Tells the controller how to reach vCPU `index`; called once for each before it runs.
    void connect(int index, VcpuSignals signals);
}
