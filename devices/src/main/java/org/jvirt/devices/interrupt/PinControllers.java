package org.jvirt.devices.interrupt;

import java.util.Optional;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.interrupt.IoApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PicState;

/// The controllers with pins, wired as on a PC's board: interrupts 0–15 reach the 8259 pair and the IO-APIC, with
/// interrupt 0 at IO-APIC pin 2; 16–23 reach the IO-APIC only; INTR drives IO-APIC pin 0. Line 2 is the cascade:
/// only the IO-APIC's pin 2 sees it. Thread-safe.
public final class PinControllers {
    /// Where the IO-APIC's registers are mapped.
    public static final long IO_APIC_GPA = 0xfec0_0000L;

    private static final int TIMER_PIN = 2;
    private static final int INTR_PIN = 0;

    private static final int SOURCE_LINE = 1;
    private static final int SOURCE_TIMER = 2;

    private final Runnable intrChanged;
    private final PicPair pics;
    private final IoApic ioApic;
    private final InterruptLine[] lines = new InterruptLine[IoApic.PINS];

    /// @param intrChanged called after [#intr] changed, without lock
    PinControllers(MessageCarrier carrier, Optional<PcInterruptsState> saved, Runnable intrChanged) {
        this.intrChanged = intrChanged;
        pics = new PicPair(
                saved.map(PcInterruptsState::master).orElse(PicState.RESET),
                saved.map(PcInterruptsState::slave).orElse(PicState.RESET),
                this::intrChanged);
        ioApic = saved.map(s -> new IoApic(carrier, s.ioApic())).orElseGet(() -> new IoApic(carrier));
        for (int gsi = 0; gsi < lines.length; gsi++) {
            lines[gsi] = makeLine(gsi);
        }
    }

    private InterruptLine makeLine(int gsi) {
        if (gsi == 0) {
            return high -> {
                pics.set(0, high);
                ioApic.set(TIMER_PIN, SOURCE_TIMER, high);
            };
        }
        if (gsi < 16 && gsi != PicPair.CASCADE) {
            return high -> {
                pics.set(gsi, high);
                ioApic.set(gsi, SOURCE_LINE, high);
            };
        }
        return high -> ioApic.set(gsi, SOURCE_LINE, high);
    }

    private void intrChanged() {
        intrChanged.run();
        ioApic.set(INTR_PIN, SOURCE_LINE, pics.intr());
    }

    /// @param gsi 0–23
    InterruptLine line(int gsi) {
        return lines[gsi];
    }

    /// Bus reset. The levels of the lines stay what their devices make them.
    void reset() {
        pics.reset();
        ioApic.reset();
    }

    PicState saveMaster() {
        return pics.saveMaster();
    }

    PicState saveSlave() {
        return pics.saveSlave();
    }

    IoApicState saveIoApic() {
        return ioApic.save();
    }

    /// The level of INTR from the 8259 pair.
    boolean intr() {
        return pics.intr();
    }

    /// The INTA cycles with the 8259 pair.
    int acknowledgeIntr() {
        return pics.acknowledge();
    }

    /// The EOI message of a local APIC.
    void endOfInterrupt(int vector) {
        ioApic.endOfInterrupt(vector);
    }

    /// Ports 0x20–0x21.
    public IoDevice masterPic() {
        return pics.masterPorts();
    }

    /// Ports 0xA0–0xA1.
    public IoDevice slavePic() {
        return pics.slavePorts();
    }

    /// Ports 0x4D0–0x4D1: which inputs of the 8259 pair are level-triggered.
    public IoDevice elcr() {
        return pics.elcrPorts();
    }

    /// The IO-APIC's registers, at [#IO_APIC_GPA].
    public IoDevice ioApic() {
        return ioApic;
    }
}
