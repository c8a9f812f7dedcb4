package org.jvirt.machine;

import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.devices.time.Hpet;

/// The board's interrupt controllers and the 8254 behind them: jvirt's own devices, what the engine brings
/// along, or some of each. The board and its devices see no difference.
///
/// Thread-safe but where said.
sealed interface BoardInterrupts permits MachineInterrupts, SplitBoardInterrupts, EngineInterrupts {
    /// The wire of a global system interrupt, 0–23; 0 is the 8254's and arrives at IO-APIC pin 2.
    InterruptLine line(int gsi);

    MsiSink msi();

    /// Puts the registers that the engine does not answer itself onto the buses. While the machine is built.
    void plug(Bus ports, Bus mmio);

    /// Adds the 8254 with its half of port 0x61, and wires it to the HPET, which can take interrupt 0 from it.
    /// While the machine is built.
    void plugTimer(Bus ports, VmClock clock, Hpet hpet);

    /// What lies outside vCPU `index`.
    ExitHandler exits(int index, Bus ports, Bus mmio, BusExits.Unhandled unhandled);

    /// Makes the inputs in `irqs`, one bit each, level-triggered at the 8259 pair and the others edge-triggered:
    /// the ELCR. No vCPU runs.
    void setLevelTriggered(int irqs);

    /// Everything as after power-on, the 8254 included. No vCPU runs.
    void reset();

    /// Guest time stands still from now on. No vCPU runs.
    void pause();

    /// Guest time goes on. No vCPU runs yet.
    void resume();

    /// The lines lead nowhere from now on. To be called before the engine's VM is closed: threads of backends and
    /// users outlive it. Any thread.
    void disconnect();

    /// What all controllers remember now. No vCPU runs.
    PcInterruptsState save();

    /// A non-maskable interrupt for every processor.
    void nmi();
}
