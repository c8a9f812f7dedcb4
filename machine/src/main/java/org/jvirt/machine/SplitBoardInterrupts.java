package org.jvirt.machine;

import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MsiSink;
import org.jvirt.core.Vm;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.devices.interrupt.SplitInterrupts;
import org.jvirt.devices.time.Hpet;

/// The engine's local APICs behind jvirt's own 8259 pair, IO-APIC and timer.
final class SplitBoardInterrupts implements BoardInterrupts {
    private final SplitInterrupts controllers;
    private final PinDevices pins;
    private final Vm vm;
    private final ApicConfig apics;

    /// @param vm made with [#controllers]
    SplitBoardInterrupts(SplitInterrupts controllers, Vm vm, ApicConfig apics) {
        this.controllers = controllers;
        this.vm = vm;
        this.apics = apics;
        pins = new PinDevices(controllers.pins());
        controllers.attach(vm.msi(), vm::announcePin);
    }

    @Override
    public InterruptLine line(int gsi) {
        return controllers.line(gsi);
    }

    @Override
    public MsiSink msi() {
        return vm.msi();
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
        return new BusExits(ports, mmio, unhandled);
    }

    @Override
    public void setLevelTriggered(int irqs) {
        pins.setLevelTriggered(irqs);
    }

    @Override
    public void reset() {
        controllers.reset();
        pins.resetTimer();
        vm.resetInterrupts();
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
        controllers.detach();
    }

    @Override
    public PcInterruptsState save() {
        return controllers.save(apics, vm.saveLocalApics());
    }

    @Override
    public void nmi() {
        NmiMessages.send(vm.msi(), apics.vcpus());
    }
}
