package org.jvirt.machine.monitor;

import java.util.List;
import java.util.StringJoiner;
import org.jvirt.core.interrupt.IoApicState;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PicState;

/// Interrupt controllers as text. Bits of a redirection entry and of a local vector table entry: Intel 82093AA
/// datasheet, "I/O redirection table registers"; SDM volume 3, "Local vector table".
final class InterruptText {
    private static final String[] MODES = {"fixed", "lowest", "smi", "reserved", "nmi", "init", "reserved", "extint"};
    private static final String[] LVT = {"timer", "thermal", "counter", "lint0", "lint1", "error"};
    private static final String[] TIMER_MODES = {"one-shot", "periodic", "tsc-deadline", "reserved"};
    private static final int STATUS = 1 << 12;
    private static final int ACTIVE_LOW = 1 << 13;
    private static final int REMOTE_IRR = 1 << 14;
    private static final int LEVEL = 1 << 15;
    private static final int MASKED = 1 << 16;
    private static final int LOGICAL = 1 << 11;

    private InterruptText() {}

    /// The 8259 pair and the IO-APIC.
    static String pins(PcInterruptsState state) {
        var text = new StringBuilder();
        pic(text, "pic0", state.master());
        pic(text, "pic1", state.slave());
        IoApicState ioApic = state.ioApic();
        text.append("ioapic: id=%d select=%02x\n".formatted(ioApic.id(), ioApic.select()));
        for (int pin = 0; pin < IoApicState.PINS; pin++) {
            long entry = ioApic.entries().get(pin);
            text.append("  pin %-2d %016x line=%s vector=%02x %s %s %s to %s %d%s\n"
                    .formatted(
                            pin,
                            entry,
                            ioApic.sources().get(pin) != 0 ? "high" : "low",
                            entry & 0xff,
                            MODES[(int) (entry >>> 8) & 7],
                            (entry & LEVEL) != 0 ? "level" : "edge",
                            (entry & ACTIVE_LOW) != 0 ? "active-low" : "active-high",
                            (entry & LOGICAL) != 0 ? "logical" : "physical",
                            entry >>> 56,
                            marks(entry)));
        }
        return text.toString();
    }

    private static void pic(StringBuilder text, String name, PicState pic) {
        text.append("%s: lines=%02x irr=%02x isr=%02x imr=%02x elcr=%02x base=%02x first=%d\n"
                .formatted(
                        name,
                        pic.lines(),
                        pic.irr(),
                        pic.isr(),
                        pic.imr(),
                        pic.elcr(),
                        pic.vectorBase(),
                        pic.firstPriority()));
    }

    /// One CPU's local APIC.
    static String local(PcInterruptsState state, int cpu) {
        LocalApicState apic = state.apics().get(cpu);
        var text =
                new StringBuilder("lapic %d: base=%x priority=%02x spurious=%03x logical=%08x format=%08x errors=%02x\n"
                        .formatted(
                                apic.id(),
                                apic.apicBase(),
                                apic.taskPriority(),
                                apic.spuriousVector(),
                                apic.logicalDestination(),
                                apic.destinationFormat(),
                                apic.errorStatus()));
        for (int i = 0; i < LVT.length; i++) {
            int entry = apic.lvt().get(i);
            String kind = i == 0 ? TIMER_MODES[entry >>> 17 & 3] : MODES[entry >>> 8 & 7];
            text.append("  %-8s%08x vector=%02x %s%s\n".formatted(LVT[i], entry, entry & 0xff, kind, marks(entry)));
        }
        text.append("  count %d, divided by %x, deadline %d\n"
                .formatted(apic.initialCount(), apic.divideConfiguration(), apic.tscDeadline()));
        text.append("  requested (IRR): %s\n".formatted(vectors(apic.irr())));
        text.append("  in service (ISR): %s\n".formatted(vectors(apic.isr())));
        return text.toString();
    }

    private static String marks(long entry) {
        return ((entry & STATUS) != 0 ? ", pending" : "")
                + ((entry & REMOTE_IRR) != 0 ? ", remote IRR" : "")
                + ((entry & MASKED) != 0 ? ", masked" : "");
    }

    private static String vectors(List<Long> words) {
        var set = new StringJoiner(" ").setEmptyValue("none");
        for (int vector = 0; vector < 256; vector++) {
            if ((words.get(vector >>> 6) >>> vector & 1) != 0) {
                set.add("%02x".formatted(vector));
            }
        }
        return set.toString();
    }
}
