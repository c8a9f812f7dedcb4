package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Segment;

/// Fields of the eight bytes of a segment or gate descriptor.
///
/// Source: Intel SDM volume 3, 3.4.5, 5.8.3, 6.11.
final class Descriptor {
    /// Types of system descriptors.
    static final int TSS16_AVAILABLE = 1;

    static final int LDT = 2;
    static final int TSS16_BUSY = 3;
    static final int CALL_GATE16 = 4;
    static final int TASK_GATE = 5;
    static final int INTERRUPT_GATE16 = 6;
    static final int TRAP_GATE16 = 7;
    static final int TSS32_AVAILABLE = 9;
    static final int TSS32_BUSY = 11;
    static final int CALL_GATE32 = 12;
    static final int INTERRUPT_GATE32 = 14;
    static final int TRAP_GATE32 = 15;

    private Descriptor() {}

    /// As in [Segment#attributes].
    static int attributes(long raw) {
        return (int) (raw >>> 40) & 0xF0FF;
    }

    static long base(long raw) {
        return raw >>> 16 & 0xFF_FFFF | (raw >>> 56) << 24;
    }

    /// In bytes.
    static long limit(long raw) {
        long limit = raw & 0xFFFF | raw >>> 32 & 0xF_0000;
        return (attributes(raw) & Segment.GRANULARITY) != 0 ? limit << 12 | 0xFFF : limit;
    }

    static int type(long raw) {
        return (int) (raw >>> 40) & 15;
    }

    static int dpl(long raw) {
        return (int) (raw >>> 45) & 3;
    }

    static boolean present(long raw) {
        return (raw >>> 47 & 1) != 0;
    }

    /// Code or data, not system.
    static boolean segment(long raw) {
        return (raw >>> 44 & 1) != 0;
    }

    static boolean code(long raw) {
        return (raw >>> 43 & 3) == 3;
    }

    static boolean conforming(long raw) {
        return (raw >>> 42 & 1) != 0;
    }

    static boolean writableData(long raw) {
        return segment(raw) && !code(raw) && (raw >>> 41 & 1) != 0;
    }

    static boolean readable(long raw) {
        return segment(raw) && (!code(raw) || (raw >>> 41 & 1) != 0);
    }

    static boolean long64(long raw) {
        return (raw >>> 53 & 1) != 0;
    }

    static boolean big(long raw) {
        return (raw >>> 54 & 1) != 0;
    }

    /// The code selector of a gate.
    static int gateSelector(long raw) {
        return (int) (raw >>> 16) & 0xFFFF;
    }

    /// The lower 32 bits of a gate's offset.
    static long gateOffset(long raw) {
        return raw & 0xFFFF | raw >>> 32 & 0xFFFF_0000L;
    }
}
