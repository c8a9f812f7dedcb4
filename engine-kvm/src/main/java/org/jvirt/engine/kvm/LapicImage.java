package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.interrupt.LocalApicState;

/// `struct kvm_lapic_state`: the register page of a local APIC as its guest sees it, also in x2APIC mode.
///
/// The timer counts nanoseconds times its divisor, as the machine's own APICs do.
///
/// Source: Intel SDM volume 3, table 11-1; API, 4.58.
final class LapicImage {
    static final int BYTES = 0x400;
    private static final int ID = 0x20;
    private static final int TASK_PRIORITY = 0x80;
    private static final int LOGICAL_DESTINATION = 0xD0;
    private static final int DESTINATION_FORMAT = 0xE0;
    private static final int SPURIOUS = 0xF0;
    private static final int ISR = 0x100;
    private static final int TMR = 0x180;
    private static final int IRR = 0x200;
    private static final int ERROR_STATUS = 0x280;
    private static final int COMMAND_LOW = 0x300;
    private static final int COMMAND_HIGH = 0x310;
    private static final int LVT = 0x320;
    private static final int INITIAL_COUNT = 0x380;
    private static final int CURRENT_COUNT = 0x390;
    private static final int DIVIDE = 0x3E0;
    private static final int REGISTER_DISTANCE = 0x10;
    private static final int PERIODIC = 1 << 17;
    private static final long APIC_BASE_X2APIC = 1 << 10;

    private LapicImage() {}

    /// @param nowNanos    guest time
    /// @param tscDeadline in ticks of the machine
    static LocalApicState parse(MemorySegment image, int id, long apicBase, long nowNanos, long tscDeadline) {
        List<Integer> lvt = new ArrayList<>();
        for (int i = 0; i < LocalApicState.LVT_ENTRIES; i++) {
            lvt.add(get(image, LVT + i * REGISTER_DISTANCE));
        }
        int current = get(image, CURRENT_COUNT);
        int divide = get(image, DIVIDE);
        return new LocalApicState(
                id,
                apicBase,
                get(image, TASK_PRIORITY),
                get(image, LOGICAL_DESTINATION),
                get(image, DESTINATION_FORMAT),
                get(image, SPURIOUS),
                get(image, ERROR_STATUS),
                0,
                get(image, COMMAND_LOW) & 0xFFFF_FFFFL | (long) get(image, COMMAND_HIGH) << 32,
                lvt,
                vectors(image, IRR),
                vectors(image, ISR),
                vectors(image, TMR),
                false,
                false,
                get(image, INITIAL_COUNT),
                divide,
                current == 0 ? 0 : nowNanos + (current & 0xFFFF_FFFFL) * divisor(divide),
                tscDeadline);
    }

    /// Fills in all that `state` knows; version and the like stay as they are.
    static void fill(MemorySegment image, LocalApicState state, long nowNanos) {
        boolean x2apic = (state.apicBase() & APIC_BASE_X2APIC) != 0;
        set(image, ID, x2apic ? state.id() : state.id() << 24);
        set(image, TASK_PRIORITY, state.taskPriority());
        set(image, LOGICAL_DESTINATION, state.logicalDestination());
        set(image, DESTINATION_FORMAT, state.destinationFormat());
        set(image, SPURIOUS, state.spuriousVector());
        set(image, ERROR_STATUS, state.errorStatus());
        set(image, COMMAND_LOW, (int) state.interruptCommand());
        set(image, COMMAND_HIGH, (int) (state.interruptCommand() >>> 32));
        for (int i = 0; i < LocalApicState.LVT_ENTRIES; i++) {
            set(image, LVT + i * REGISTER_DISTANCE, state.lvt().get(i));
        }
        setVectors(image, IRR, state.irr());
        setVectors(image, ISR, state.isr());
        setVectors(image, TMR, state.tmr());
        set(image, INITIAL_COUNT, state.initialCount());
        set(image, DIVIDE, state.divideConfiguration());
        set(image, CURRENT_COUNT, current(state, nowNanos));
    }

    /// What the timer has left: at least 1 of a count that is running, so that its interrupt comes.
    private static int current(LocalApicState state, long nowNanos) {
        if (state.deadlineNanos() == 0 || state.initialCount() == 0) {
            return 0;
        }
        long left = (state.deadlineNanos() - nowNanos) / divisor(state.divideConfiguration());
        boolean periodic = (state.lvt().getFirst() & PERIODIC) != 0;
        long most = state.initialCount() & 0xFFFF_FFFFL;
        if (left <= 0) {
            return periodic ? (int) Math.max(1, most - -left % most) : 1;
        }
        return (int) Math.min(left, most);
    }

    /// Bits 3, 1 and 0 of the divide configuration: 2, 4, … 128, 1.
    private static int divisor(int configuration) {
        int code = configuration & 3 | configuration >> 1 & 4;
        return 1 << (code + 1 & 7);
    }

    private static List<Long> vectors(MemorySegment image, int at) {
        List<Long> words = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            long low = get(image, at + 2 * i * REGISTER_DISTANCE) & 0xFFFF_FFFFL;
            words.add(low | (long) get(image, at + (2 * i + 1) * REGISTER_DISTANCE) << 32);
        }
        return words;
    }

    private static void setVectors(MemorySegment image, int at, List<Long> words) {
        for (int i = 0; i < 4; i++) {
            set(image, at + 2 * i * REGISTER_DISTANCE, (int) (long) words.get(i));
            set(image, at + (2 * i + 1) * REGISTER_DISTANCE, (int) (words.get(i) >>> 32));
        }
    }

    private static int get(MemorySegment image, int at) {
        return image.get(JAVA_INT, at);
    }

    private static void set(MemorySegment image, int at, int value) {
        image.set(JAVA_INT, at, value);
    }
}
