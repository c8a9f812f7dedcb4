package org.jvirt.engine.soft.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jvirt.core.GuestMemory;

/// Walks the page tables of all paging modes.
///
/// A walk first reads only; when the access turns out to be allowed, [#noteAccess] sets the accessed and dirty
/// bits, each by compare-and-set on the entry that was read, so that no processor's change is lost.
///
/// Source: Intel SDM volume 3, chapter 4.
final class PageWalker {
    /// Bits of a translation beside the address of the 4 KiB page.
    static final long USER = 1;

    static final long WRITABLE = 2;
    static final long EXECUTABLE = 4;
    static final long DIRTY = 8;
    static final long GLOBAL = 16;
    /// From a page larger than 4 KiB.
    static final long LARGE = 32;
    /// From a page of 1 GiB.
    static final long HUGE = 64;
    static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private static final int PRESENT_BIT = 1;
    private static final int WRITE_BIT = 1 << 1;
    private static final int USER_BIT = 1 << 2;
    private static final int ACCESSED_BIT = 1 << 5;
    private static final int DIRTY_BIT = 1 << 6;
    private static final int SIZE_BIT = 1 << 7;
    private static final int GLOBAL_BIT = 1 << 8;
    private static final long NX_BIT = 1L << 63;

    /// Error codes: not present, and reserved bit set in a present entry. Returned as `-1 - code`.
    private static final long NOT_PRESENT = -1;

    private static final long RESERVED = -1 - 9;
    private static final int MAX_LEVELS = 5;
    private static final long PAGE = -4096L;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT_ATOMIC = INT.varHandle();
    private static final VarHandle LONG_ATOMIC = LONG.varHandle();

    private final Cpu cpu;
    private final GuestMemory memory;
    private final MemorySegment ram;
    private final long[] entryOffsets = new long[MAX_LEVELS];
    private final long[] entries = new long[MAX_LEVELS];
    private int depth;
    private boolean narrow;
    private long result;

    PageWalker(Cpu cpu, GuestMemory memory) {
        this.cpu = cpu;
        this.memory = memory;
        ram = memory.backing();
    }

    /// The translation of `la`, or `-1 - error code` with bits 0 and 3 of the code.
    long walk(long la, int kind) {
        depth = 0;
        narrow = false;
        long found;
        if (!cpu.paging()) {
            found = la & 0xFFFF_F000L | USER | WRITABLE | EXECUTABLE | DIRTY;
        } else if (cpu.longModeActive()) {
            found = walkWide(la, cpu.cr3() & ADDRESS, cpu.fiveLevels() ? 5 : 4);
        } else if (cpu.pae()) {
            long top = cpu.pageDirectoryPointer((int) (la >>> 30) & 3);
            found = (top & PRESENT_BIT) == 0
                    ? NOT_PRESENT
                    : walkWide(la & 0xFFFF_FFFFL, top & ADDRESS & cpu.physicalMask(), 2);
        } else {
            found = walkNarrow(la & 0xFFFF_FFFFL);
        }
        if (found >= 0 && kind == Tlb.WRITE && depth > 0) {
            found |= DIRTY;
        }
        result = found;
        return found;
    }

    private long walkWide(long la, long root, int levels) {
        long table = root;
        boolean noExecute = cpu.noExecuteEnabled();
        long reservedAlways = ~cpu.physicalMask() & ADDRESS | (noExecute ? 0 : NX_BIT);
        if (!cpu.longModeActive()) {
            // PAE paging reserves bits 62-52 as well
            reservedAlways |= 0x7FF0_0000_0000_0000L;
        }
        long all = -1L;
        long executable = EXECUTABLE;
        for (int level = levels; ; level--) {
            int shift = 12 + 9 * (level - 1);
            long at = table + ((la >>> shift & 0x1FF) << 3);
            long offset = memory.offsetOf(at);
            long entry = offset < 0 ? -1L : (long) LONG_ATOMIC.getAcquire(ram, offset);
            if ((entry & PRESENT_BIT) == 0) {
                return NOT_PRESENT;
            }
            boolean large = level > 1 && (entry & SIZE_BIT) != 0;
            if ((entry & reservedAlways) != 0
                    || large
                            && (level > 3
                                    || level == 3 && !cpu.hugePages()
                                    || (entry & (1L << shift) - 1 & ADDRESS & ~0x1000L) != 0)) {
                return RESERVED;
            }
            entryOffsets[depth] = offset;
            entries[depth++] = entry;
            all &= entry;
            if ((entry & NX_BIT) != 0) {
                executable = 0;
            }
            if (level == 1 || large) {
                long offsetMask = (1L << shift) - 1;
                long base = entry & ADDRESS & ~offsetMask | la & offsetMask & PAGE;
                return base
                        | rights(all)
                        | executable
                        | ((entry & DIRTY_BIT) != 0 ? DIRTY : 0)
                        | ((entry & GLOBAL_BIT) != 0 && cpu.globalPages() ? GLOBAL : 0)
                        | (large ? LARGE : 0)
                        | (large && level == 3 ? HUGE : 0);
            }
            table = entry & ADDRESS;
        }
    }

    private static long rights(long all) {
        return ((all & USER_BIT) != 0 ? USER : 0) | ((all & WRITE_BIT) != 0 ? WRITABLE : 0);
    }

    private long walkNarrow(long la) {
        narrow = true;
        long directory = readNarrow((cpu.cr3() & 0xFFFF_F000L) + (la >>> 22 << 2));
        if ((directory & PRESENT_BIT) == 0) {
            return NOT_PRESENT;
        }
        if ((directory & SIZE_BIT) != 0 && cpu.pageSizeExtension()) {
            // PSE-36: bits 20-13 are address bits 39-32, bit 21 is reserved
            long high = (directory >>> 13 & 0xFF) << 32;
            if ((directory & 1 << 21) != 0 || (high & ~cpu.physicalMask()) != 0) {
                return RESERVED;
            }
            return high
                    | directory & 0xFFC0_0000L
                    | la & 0x003F_F000L
                    | rights(directory)
                    | EXECUTABLE
                    | ((directory & DIRTY_BIT) != 0 ? DIRTY : 0)
                    | ((directory & GLOBAL_BIT) != 0 && cpu.globalPages() ? GLOBAL : 0)
                    | LARGE;
        }
        long entry = readNarrow((directory & 0xFFFF_F000L) + ((la >>> 12 & 0x3FF) << 2));
        if ((entry & PRESENT_BIT) == 0) {
            return NOT_PRESENT;
        }
        return entry & 0xFFFF_F000L
                | rights(directory & entry)
                | EXECUTABLE
                | ((entry & DIRTY_BIT) != 0 ? DIRTY : 0)
                | ((entry & GLOBAL_BIT) != 0 && cpu.globalPages() ? GLOBAL : 0);
    }

    private long readNarrow(long gpa) {
        long offset = memory.offsetOf(gpa);
        long entry = offset < 0 ? 0xFFFF_FFFFL : (int) INT_ATOMIC.getAcquire(ram, offset) & 0xFFFF_FFFFL;
        entryOffsets[depth] = offset;
        entries[depth++] = entry;
        return entry;
    }

    /// Sets accessed bits, and the dirty bit of the last entry for a write; false if an entry has changed since it
    /// was read: walk again.
    boolean noteAccess(boolean write) {
        for (int i = 0; i < depth; i++) {
            long old = entries[i];
            long wanted = old | ACCESSED_BIT | (write && i == depth - 1 ? DIRTY_BIT : 0);
            if (old == wanted || entryOffsets[i] < 0) {
                continue;
            }
            boolean done = narrow
                    ? INT_ATOMIC.compareAndSet(ram, entryOffsets[i], (int) old, (int) wanted)
                    : LONG_ATOMIC.compareAndSet(ram, entryOffsets[i], old, wanted);
            if (!done) {
                return false;
            }
            memory.markDirty(entryOffsets[i], narrow ? 4 : 8);
        }
        return result >= 0;
    }
}
