package org.jvirt.machine;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.VmClock;
import org.jvirt.devices.interrupt.PinControllers;
import org.jvirt.devices.time.Hpet;
import org.jvirt.devices.time.Pit8254;
import org.jvirt.machine.layout.MemoryMap;

/// jvirt's own 8259 pair, IO-APIC and 8254 on the board.
final class PinDevices {
    private static final int ELCR = 0x4d0;
    private static final int PORT_B = 0x61;

    private final PinControllers pins;
    private @Nullable Pit8254 pit;

    PinDevices(PinControllers pins) {
        this.pins = pins;
    }

    void plug(Bus ports, Bus mmio) {
        ports.map("pic-master", 0x20, 2, pins.masterPic());
        ports.map("pic-slave", 0xa0, 2, pins.slavePic());
        ports.map("elcr", ELCR, 2, pins.elcr());
        mmio.map("io-apic", MemoryMap.IO_APIC, MemoryMap.IO_APIC_BYTES, pins.ioApic());
    }

    void plugTimer(Bus ports, VmClock clock, Hpet hpet) {
        var timer = new Pit8254(clock, hpet.pitInput());
        pit = timer;
        ports.map("pit", 0x40, 4, timer);
        ports.map("port-61", PORT_B, 1, timer.portB());
    }

    void setLevelTriggered(int irqs) {
        pins.elcr().write(0, 1, irqs & 0xff);
        pins.elcr().write(1, 1, irqs >>> 8);
    }

    /// The 8254 as after power-on; the controllers have resets of their own.
    void resetTimer() {
        Pit8254 timer = pit;
        if (timer != null) {
            timer.reset();
        }
    }
}
