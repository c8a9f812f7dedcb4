package org.jvirt.machine;

import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MsiSink;
import org.jvirt.core.TscClock;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.devices.interrupt.PcInterrupts;
import org.jvirt.devices.time.Hpet;

/// jvirt's own interrupt controllers and timer, for engines that have none.
final class MachineInterrupts implements BoardInterrupts {
    private final PcInterrupts controllers;
    private final PinDevices pins;

    MachineInterrupts(ApicConfig config, TscClock tsc) {
        controllers = new PcInterrupts(config, tsc);
        pins = new PinDevices(controllers.pins());
    }

    /// What the engine is given.
    InterruptController controllers() {
        return controllers;
    }

    @Override
    public InterruptLine line(int gsi) {
        return controllers.line(gsi);
    }

    @Override
    public MsiSink msi() {
        return controllers.msi();
    }

    @Override
    public void plug(Bus ports, Bus mmio) {
        pins.plug(ports, mmio);
    }

    @Override
    public void plugTimer(Bus ports, VmClock clock, Hpet hpet) {
        pins.plugTimer(ports, clock, hpet);
    }

    @Override
    public ExitHandler exits(int index, Bus ports, Bus mmio, BusExits.Unhandled unhandled) {
        return new LocalApicExits(new BusExits(ports, mmio, unhandled), controllers, index);
    }

    @Override
    public void setLevelTriggered(int irqs) {
        pins.setLevelTriggered(irqs);
    }

    @Override
    public void reset() {
        controllers.reset();
        pins.resetTimer();
    }

    @Override
    public void pause() {
        // The machine's clock stands.
    }

    @Override
    public void resume() {
        // The machine's clock goes on.
    }

    @Override
    public void disconnect() {
        // Nothing of the engine is behind them.
    }

    @Override
    public PcInterruptsState save() {
        return controllers.save();
    }

    @Override
    public void nmi() {
        controllers.nmi();
    }
}
