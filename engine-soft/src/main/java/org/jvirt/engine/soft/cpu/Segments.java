package org.jvirt.engine.soft.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.core.cpu.Segment;

/// The segment registers with their hidden parts, and the check of an offset against one of them.
///
/// Attributes are those of [Segment]. For every register the ranges of offsets that may be read and written are
/// kept ready, so that a check is two comparisons; they are empty for an unusable segment.
public final class Segments {
    public static final int ES = 0;
    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;
    public static final int LDTR = 6;
    public static final int TR = 7;
    /// A slot of [#base] that is always zero: the segments that 64-bit mode ignores.
    public static final int NO_BASE = 8;

    private static final int FLAT = 1 << ES | 1 << CS | 1 << SS | 1 << DS;

    /// What each register adds to an offset. In 64-bit mode only FS, GS, LDTR and TR count.
    public final long[] base = new long[9];

    final int[] selector = new int[8];
    final long[] limit = new long[8];
    final int[] attributes = new int[8];
    private final long[] readLow = new long[6];
    private final long[] readHigh = new long[6];
    private final long[] writeLow = new long[6];
    private final long[] writeHigh = new long[6];
    private final Cpu cpu;
    /// A bit for each register that adds nothing to an offset and allows all of them.
    private int flat;
    /// A bit for each register that allows all offsets.
    private int whole;

    Segments(Cpu cpu) {
        this.cpu = cpu;
    }

    public int selector(int segment) {
        return selector[segment];
    }

    /// Copies the selectors of ES to GS to native memory, as ints.
    public void copySelectors(MemorySegment to, long offset) {
        MemorySegment.copy(selector, 0, to, ValueLayout.JAVA_INT, offset, GS + 1);
    }

    public long base(int segment) {
        return base[segment];
    }

    public long limit(int segment) {
        return limit[segment];
    }

    public int attributes(int segment) {
        return attributes[segment];
    }

    /// The register as state to be saved.
    public Segment get(int segment) {
        return new Segment(selector[segment], base[segment], limit[segment], attributes[segment]);
    }

    /// Loads all parts of a register. The caller makes the mode follow from CS and SS ([Cpu#updateMode]).
    void set(int segment, int newSelector, long newBase, long newLimit, int newAttributes) {
        selector[segment] = newSelector;
        base[segment] = newBase;
        limit[segment] = newLimit;
        attributes[segment] = newAttributes;
        if (segment != CS && segment != SS) {
            cpu.newSystemGeneration();
        }
        if (segment <= GS) {
            updateRanges(segment);
        }
    }

    void set(int segment, Segment value) {
        set(segment, value.selector(), value.base(), value.limit(), value.attributes());
    }

    /// What a data segment register holds in real and virtual-8086 mode after `selector` has been loaded: in real
    /// mode the limit stays what it was ("unreal mode").
    void setReal(int segment, int newSelector) {
        selector[segment] = newSelector;
        base[segment] = (long) newSelector << 4;
        attributes[segment] =
                attributes[segment] & (Segment.BIG | Segment.GRANULARITY) | Segment.PRESENT | Segment.S | 3;
        cpu.newSystemGeneration();
        updateRanges(segment);
    }

    /// As virtual-8086 mode has it: base from the selector, limit 0xFFFF, DPL 3.
    void setVirtual8086(int segment, int newSelector) {
        set(segment, newSelector, (long) newSelector << 4, 0xFFFF, Segment.PRESENT | Segment.S | 3 | 3 << 5);
    }

    /// Loads a null selector.
    void setNull(int segment, int newSelector) {
        int dpl = segment == SS ? (newSelector & 3) << 5 : 0;
        set(segment, newSelector, 0, 0, Segment.UNUSABLE | dpl);
    }

    void updateAllRanges() {
        for (int i = ES; i <= GS; i++) {
            updateRanges(i);
        }
    }

    private void updateRanges(int segment) {
        int a = attributes[segment];
        boolean checked = cpu.protectedMode();
        int type = a & 15;
        boolean usable = (a & Segment.UNUSABLE) == 0 && ((a & Segment.PRESENT) != 0 || !checked);
        boolean code = (type & 8) != 0;
        boolean readable = usable && (!checked || !code || (type & 2) != 0);
        boolean writable = usable && (!checked || !code && (type & 2) != 0);
        long low = 0;
        long high = limit[segment];
        if (!code && (type & 4) != 0) {
            low = limit[segment] + 1;
            high = (a & Segment.BIG) != 0 ? 0xFFFF_FFFFL : 0xFFFF;
        }
        readLow[segment] = readable ? low : 1;
        readHigh[segment] = readable ? high : 0;
        writeLow[segment] = writable ? low : 1;
        writeHigh[segment] = writable ? high : 0;
        boolean all = readable && (writable || segment == CS) && low == 0 && high == 0xFFFF_FFFFL;
        whole = whole & ~(1 << segment) | (all ? 1 << segment : 0);
        flat = flat & ~(1 << segment) | (all && base[segment] == 0 ? 1 << segment : 0);
    }

    /// What of segmentation remains for 32-bit code: -1 if ES, CS, SS or DS does more than show all 4 GiB, else a
    /// bit for FS (1) and for GS (2) if they allow every offset.
    public int flatness() {
        return (flat & FLAT) == FLAT ? whole >> FS & 3 : -1;
    }

    /// The linear address of `size` bytes at `offset`, by the rules of the current mode.
    ///
    /// @throws GuestFault `#SS(0)` for SS, `#GP(0)` for the others
    public long linear(int segment, long offset, int size, boolean write) {
        if (cpu.longMode64()) {
            long la = segment >= FS ? base[segment] + offset : offset;
            if (!cpu.isCanonical(la)) {
                throw segment == SS ? cpu.ss(0) : cpu.gp(0);
            }
            return la;
        }
        long low = write ? writeLow[segment] : readLow[segment];
        long high = write ? writeHigh[segment] : readHigh[segment];
        if (offset < low || offset + Math.max(size, 1) - 1 > high) {
            throw segment == SS ? cpu.ss(0) : cpu.gp(0);
        }
        return base[segment] + offset & 0xFFFF_FFFFL;
    }

    int dpl(int segment) {
        return attributes[segment] >> 5 & 3;
    }
}
