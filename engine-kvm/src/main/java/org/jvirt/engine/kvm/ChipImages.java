package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.interrupt.IoApicState;
import org.jvirt.core.interrupt.PicState;

/// `struct kvm_irqchip`: the 8259s and the IO-APIC in the kernel: chip_id, padding, then 512 bytes of
///
/// ```
/// kvm_pic_state     last_irr, irr, imr, isr, priority_add, irq_base, read_reg_select, poll, special_mask,
/// init_state,
///                   auto_eoi, rotate_on_auto_eoi, special_fully_nested_mode, init4, elcr, elcr_mask: 1 byte each
/// kvm_ioapic_state  base_address (8), ioregsel, id, irr, pad (4 each), 24 entries of 8 bytes
/// ```
///
/// Source: API, 4.26; Intel 8259A and 82093AA data sheets.
final class ChipImages {
    static final int BYTES = 520;
    static final int PIC_MASTER = 0;
    static final int PIC_SLAVE = 1;
    static final int IOAPIC = 2;
    private static final int CHIP = 8;
    private static final int ICW4_8086 = 1;
    private static final int ICW4_AUTO_END = 1 << 1;
    private static final int ICW4_SPECIAL_NESTED = 1 << 4;
    private static final int ENTRIES = CHIP + 24;
    private static final int SOURCE_LINE = 1;
    private static final int SOURCE_TIMER = 2;
    private static final int TIMER_PIN = 2;

    private ChipImages() {}

    // ---------------------------------------------------------------- 8259

    static PicState parsePic(MemorySegment image) {
        int initState = pic(image, 9);
        int icw4 =
                ICW4_8086 | (pic(image, 10) != 0 ? ICW4_AUTO_END : 0) | (pic(image, 12) != 0 ? ICW4_SPECIAL_NESTED : 0);
        return new PicState(
                pic(image, 0),
                pic(image, 1),
                pic(image, 3),
                pic(image, 2),
                pic(image, 14),
                pic(image, 5),
                icw4,
                // init_state counts the words received, of which the first is ICW1
                initState == 0 ? 0 : initState + 1,
                pic(image, 13) != 0,
                false,
                pic(image, 4) & 7,
                pic(image, 11) != 0,
                pic(image, 8) != 0,
                pic(image, 6) != 0,
                pic(image, 7) != 0);
    }

    private static int pic(MemorySegment image, int at) {
        return image.get(JAVA_BYTE, CHIP + at) & 0xFF;
    }

    static void fillPic(MemorySegment image, PicState state) {
        setPic(image, 0, state.lines());
        setPic(image, 1, state.irr());
        setPic(image, 2, state.imr());
        setPic(image, 3, state.isr());
        setPic(image, 4, state.firstPriority());
        setPic(image, 5, state.vectorBase());
        setPic(image, 6, state.readIsr() ? 1 : 0);
        setPic(image, 7, state.poll() ? 1 : 0);
        setPic(image, 8, state.specialMask() ? 1 : 0);
        setPic(image, 9, state.nextIcw() == 0 ? 0 : state.nextIcw() - 1);
        setPic(image, 10, (state.icw4() & ICW4_AUTO_END) != 0 ? 1 : 0);
        setPic(image, 11, state.rotateOnAutoEnd() ? 1 : 0);
        setPic(image, 12, (state.icw4() & ICW4_SPECIAL_NESTED) != 0 ? 1 : 0);
        setPic(image, 13, state.needsIcw4() ? 1 : 0);
        setPic(image, 14, state.elcr());
    }

    private static void setPic(MemorySegment image, int at, int value) {
        image.set(JAVA_BYTE, CHIP + at, (byte) value);
    }

    // ---------------------------------------------------------------- IO-APIC

    static IoApicState parseIoApic(MemorySegment image) {
        List<Long> entries = new ArrayList<>();
        List<Integer> sources = new ArrayList<>();
        int high = image.get(JAVA_INT, CHIP + 16);
        for (int pin = 0; pin < IoApicState.PINS; pin++) {
            entries.add(image.get(JAVA_LONG, ENTRIES + 8L * pin));
            int source = pin == TIMER_PIN ? SOURCE_TIMER : SOURCE_LINE;
            sources.add((high >>> pin & 1) != 0 ? source : 0);
        }
        return new IoApicState(image.get(JAVA_INT, CHIP + 8), image.get(JAVA_INT, CHIP + 12), entries, sources);
    }

    static void fillIoApic(MemorySegment image, IoApicState state) {
        image.set(JAVA_INT, CHIP + 8, state.select());
        image.set(JAVA_INT, CHIP + 12, state.id());
        int high = 0;
        for (int pin = 0; pin < IoApicState.PINS; pin++) {
            image.set(JAVA_LONG, ENTRIES + 8L * pin, state.entries().get(pin));
            high |= state.sources().get(pin) != 0 ? 1 << pin : 0;
        }
        image.set(JAVA_INT, CHIP + 16, high);
    }
}
