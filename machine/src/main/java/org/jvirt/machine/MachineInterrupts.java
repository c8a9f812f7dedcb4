package org.jvirt.machine;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MsiSink;
import org.jvirt.core.TscClock;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.devices.interrupt.PcInterrupts;
import org.jvirt.devices.time.Hpet;
import org.jvirt.devices.time.Pit8254;
import org.jvirt.machine.layout.MemoryMap;

/// jvirt's own interrupt controllers and timer, for engines that have none.
final class MachineInterrupts implements BoardInterrupts {
    private static final int ELCR = 0x4d0;
    private static final int PORT_B = 0x61;

    private final PcInterrupts controllers;
    private @Nullable Pit8254 pit;

    MachineInterrupts(ApicConfig config, TscClock tsc) {
        controllers = new PcInterrupts(config, tsc);
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
        ports.map("pic-master", 0x20, 2, controllers.masterPic());
        ports.map("pic-slave", 0xa0, 2, controllers.slavePic());
        ports.map("elcr", ELCR, 2, controllers.elcr());
        mmio.map("io-apic", MemoryMap.IO_APIC, MemoryMap.IO_APIC_BYTES, controllers.ioApic());
    }

    @Override
    public void plugTimer(Bus ports, VmClock clock, Hpet hpet) {
        var timer = new Pit8254(clock, hpet.pitInput());
        pit = timer;
        ports.map("pit", 0x40, 4, timer);
        ports.map("port-61", PORT_B, 1, timer.portB());
    }

    @Override
    public ExitHandler exits(int index, Bus ports, Bus mmio, BusExits.Unhandled unhandled) {
        return new LocalApicExits(new BusExits(ports, mmio, unhandled), controllers, index);
    }

    @Override
    public void setLevelTriggered(int irqs) {
        controllers.elcr().write(0, 1, irqs & 0xff);
        controllers.elcr().write(1, 1, irqs >>> 8);
    }

    @Override
    public void reset() {
        controllers.reset();
        Pit8254 timer = pit;
        if (timer != null) {
            timer.reset();
        }
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
    public void nmi() {
        controllers.nmi();
    }
}
