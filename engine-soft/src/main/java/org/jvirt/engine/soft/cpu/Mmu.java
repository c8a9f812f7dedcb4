package org.jvirt.engine.soft.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;

/// Guest memory as instructions see it: by linear address, with all checks of paging.
///
/// An access whose page is in the [Tlb]'s fast table goes straight to the host memory behind the guest's. All
/// others take the slow way: page walk, page crossing, device registers, read-only memory, pages that hold decoded
/// code, pages the dirty log wants to hear of. Order between processors is that of x86: a load is an acquire, a
/// store a release, a read-modify-write full.
///
/// Values of 8 and 16 bits come zero-extended; upper bits of stored ones are ignored. A fault changes nothing.
/// Owner thread only.
public final class Mmu {
    static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT_ATOMIC =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle LONG_ATOMIC =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final long PAGE = -4096L;
    private static final int INDEX = Tlb.FAST_MASK;

    /// A new value from an old one, for [#atomicUpdate]. An implementation keeps its operands in fields and may
    /// note flags; it may be called several times for one update.
    @FunctionalInterface
    public interface Update {
        long apply(Cpu cpu, long old);
    }

    public final Tlb tlb;
    final GuestMemory memory;
    private final MemorySegment ram;
    private final Cpu cpu;
    private final ExitHandler io;
    private final Processors processors;
    private @Nullable LockedAccess locked;

    Mmu(Cpu cpu, Processors processors, ExitHandler io) {
        this.cpu = cpu;
        this.io = io;
        this.processors = processors;
        memory = processors.memory();
        ram = memory.backing();
        tlb = new Tlb(cpu, memory);
    }

    // ---------------------------------------------------------------- loads

    public int load8(long la) {
        long[] table = tlb.read;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la & PAGE | tlb.tag)) {
            int value = ram.get(BYTE, la + table[i + 1]) & 0xFF;
            VarHandle.acquireFence();
            return value;
        }
        return (int) slowLoad(la, 1);
    }

    public int load16(long la) {
        long[] table = tlb.read;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 1 & PAGE | tlb.tag)) {
            int value = ram.get(SHORT, la + table[i + 1]) & 0xFFFF;
            VarHandle.acquireFence();
            return value;
        }
        return (int) slowLoad(la, 2);
    }

    public int load32(long la) {
        long[] table = tlb.read;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 3 & PAGE | tlb.tag)) {
            int value = ram.get(INT, la + table[i + 1]);
            VarHandle.acquireFence();
            return value;
        }
        return (int) slowLoad(la, 4);
    }

    public long load64(long la) {
        long[] table = tlb.read;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 7 & PAGE | tlb.tag)) {
            long value = ram.get(LONG, la + table[i + 1]);
            VarHandle.acquireFence();
            return value;
        }
        return slowLoad(la, 8);
    }

    /// Zero-extended.
    public long load(long la, int size) {
        return switch (size) {
            case 1 -> load8(la);
            case 2 -> load16(la);
            case 4 -> load32(la) & 0xFFFF_FFFFL;
            default -> load64(la);
        };
    }

    // ---------------------------------------------------------------- stores

    public void store8(long la, int value) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la & PAGE | tlb.tag)) {
            VarHandle.releaseFence();
            ram.set(BYTE, la + table[i + 1], (byte) value);
        } else {
            slowStore(la, 1, value);
        }
    }

    public void store16(long la, int value) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 1 & PAGE | tlb.tag)) {
            VarHandle.releaseFence();
            ram.set(SHORT, la + table[i + 1], (short) value);
        } else {
            slowStore(la, 2, value);
        }
    }

    public void store32(long la, int value) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 3 & PAGE | tlb.tag)) {
            VarHandle.releaseFence();
            ram.set(INT, la + table[i + 1], value);
        } else {
            slowStore(la, 4, value);
        }
    }

    public void store64(long la, long value) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + 7 & PAGE | tlb.tag)) {
            VarHandle.releaseFence();
            ram.set(LONG, la + table[i + 1], value);
        } else {
            slowStore(la, 8, value);
        }
    }

    public void store(long la, int size, long value) {
        switch (size) {
            case 1 -> store8(la, (int) value);
            case 2 -> store16(la, (int) value);
            case 4 -> store32(la, (int) value);
            default -> store64(la, value);
        }
    }

    /// Faults as a write of `size` bytes (at most 4096) would; changes nothing but accessed and dirty bits.
    public void checkWrite(long la, int size) {
        int i = (int) (la >>> 11) & INDEX;
        if (tlb.write[i] != (la + size - 1 & PAGE | tlb.tag)) {
            tlb.translate(la, Tlb.WRITE, size);
            if ((la & 0xFFF) + size > 4096) {
                tlb.translate((la & PAGE) + 4096, Tlb.WRITE, 1);
            }
        }
    }

    /// Faults as a read of `size` bytes (at most 4096) would.
    public void checkRead(long la, int size) {
        int i = (int) (la >>> 11) & INDEX;
        if (tlb.read[i] != (la + size - 1 & PAGE | tlb.tag)) {
            tlb.translate(la, Tlb.READ, size);
            if ((la & 0xFFF) + size > 4096) {
                tlb.translate((la & PAGE) + 4096, Tlb.READ, 1);
            }
        }
    }

    // ---------------------------------------------------------------- for string operations and vectors

    /// The offset in the guest's backing memory of `la` if the whole page may be read directly, else -1: the caller
    /// may then read up to the end of the page through [#ram], and calls [VarHandle#acquireFence] afterwards.
    public long directRead(long la) {
        long[] table = tlb.read;
        int i = (int) (la >>> 11) & INDEX;
        return table[i] == (la & PAGE | tlb.tag) ? la + table[i + 1] : -1;
    }

    /// As [#directRead] for writing; [VarHandle#releaseFence] comes before.
    public long directWrite(long la) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        return table[i] == (la & PAGE | tlb.tag) ? la + table[i + 1] : -1;
    }

    /// The memory that [#directRead] and [#directWrite] address.
    public MemorySegment ram() {
        return ram;
    }

    // ---------------------------------------------------------------- atomic read-modify-write

    /// Does with the host's own instructions what Java has none for. What crosses a page is still atomic among
    /// interpreters only: translated code leaves it to them.
    public void lockWith(LockedAccess host) {
        locked = host;
    }

    /// Compares and exchanges under LOCK; answers the value found, zero-extended.
    public long compareAndExchange(long la, int size, long expected, long value) {
        long mask = mask(size);
        long at = atomicOffset(la, size);
        if (at < 0) {
            return exclusiveExchange(la, size, expected & mask, value & mask);
        }
        return exchangeAt(at, size, expected & mask, value & mask);
    }

    /// As [#compareAndExchange], to end an update that began with a load. A device's register is written at once:
    /// it need not answer the same when it is read again, and another processor is not held off from it.
    public long replace(long la, int size, long old, long value) {
        if (atomicOffset(la, size) < 0 && isDevice(la, size)) {
            store(la, size, value);
            return old;
        }
        return compareAndExchange(la, size, old, value);
    }

    private boolean isDevice(long la, int size) {
        if (memory.writableOffsetOf(tlb.translate(la, Tlb.WRITE, size)) < 0) {
            return true;
        }
        boolean crossesPage = (la & 0xFFF) + size > 4096;
        return crossesPage && memory.writableOffsetOf(tlb.translate((la & PAGE) + 4096, Tlb.WRITE, 1)) < 0;
    }

    /// `XADD`, and the locked additions; answers the old value, zero-extended.
    public long getAndAdd(long la, int size, long delta) {
        long at = atomicOffset(la, size);
        if (at >= 0) {
            if (size == 4 && (at & 3) == 0) {
                return (int) INT_ATOMIC.getAndAdd(ram, at, (int) delta) & 0xFFFF_FFFFL;
            }
            if (size == 8 && (at & 7) == 0) {
                return (long) LONG_ATOMIC.getAndAdd(ram, at, delta);
            }
        }
        checkWrite(la, size);
        long old = load(la, size);
        while (true) {
            long found = replace(la, size, old, old + delta);
            if (found == old) {
                return old;
            }
            old = found;
        }
    }

    /// `XCHG` with memory; answers the old value, zero-extended.
    public long getAndSet(long la, int size, long value) {
        long at = atomicOffset(la, size);
        if (at >= 0) {
            if (size == 4 && (at & 3) == 0) {
                return (int) INT_ATOMIC.getAndSet(ram, at, (int) value) & 0xFFFF_FFFFL;
            }
            if (size == 8 && (at & 7) == 0) {
                return (long) LONG_ATOMIC.getAndSet(ram, at, value);
            }
        }
        checkWrite(la, size);
        long old = load(la, size);
        while (true) {
            long found = replace(la, size, old, value);
            if (found == old) {
                return old;
            }
            old = found;
        }
    }

    /// Replaces a value by a function of it, atomically; answers the old value, zero-extended.
    public long atomicUpdate(long la, int size, Update update) {
        checkWrite(la, size);
        long old = load(la, size);
        while (true) {
            long found = replace(la, size, old, update.apply(cpu, old));
            if (found == old) {
                return old;
            }
            old = found;
        }
    }

    /// `CMPXCHG16B` on a 16-byte aligned address: stores the new pair if the old one is found, and answers whether
    /// it was. What was found is in [#foundLow] and [#foundHigh]. Atomic against other such operations; an ordinary
    /// access of another processor may see one half new and the other still old.
    public boolean compareAndExchange16(long la, long expectedLow, long expectedHigh, long low, long high) {
        checkWrite(la, 16);
        LockedAccess host = locked;
        if (host != null) {
            long at = memory.writableOffsetOf(tlb.translate(la, Tlb.WRITE, 16));
            if (at >= 0) {
                boolean equal = host.exchange16(at, expectedLow, expectedHigh, low, high);
                foundLow = host.foundLow();
                foundHigh = host.foundHigh();
                if (equal) {
                    written(at, 16);
                }
                return equal;
            }
        }
        synchronized (processors.splitLock()) {
            foundLow = load64(la);
            foundHigh = load64(la + 8);
            if (foundLow != expectedLow || foundHigh != expectedHigh) {
                VarHandle.fullFence();
                return false;
            }
            long seen = compareAndExchange(la, 8, expectedLow, low);
            if (seen != expectedLow) {
                foundLow = seen;
                return false;
            }
            seen = compareAndExchange(la + 8, 8, expectedHigh, high);
            if (seen != expectedHigh) {
                foundHigh = seen;
                compareAndExchange(la, 8, low, expectedLow);
                return false;
            }
            return true;
        }
    }

    private long foundLow;
    private long foundHigh;

    public long foundLow() {
        return foundLow;
    }

    public long foundHigh() {
        return foundHigh;
    }

    /// The backing offset for an atomic operation that one aligned host word of 4 or 8 bytes can hold, or -1.
    private long atomicOffset(long la, int size) {
        long[] table = tlb.write;
        int i = (int) (la >>> 11) & INDEX;
        if (table[i] == (la + size - 1 & PAGE | tlb.tag) && (la & 7) + size <= 8) {
            return la + table[i + 1];
        }
        return -1;
    }

    private long exchangeAt(long at, int size, long expected, long value) {
        if (size == 8) {
            return (long) LONG_ATOMIC.compareAndExchange(ram, at, expected, value);
        }
        if (size == 4 && (at & 3) == 0) {
            return (int) INT_ATOMIC.compareAndExchange(ram, at, (int) expected, (int) value) & 0xFFFF_FFFFL;
        }
        // a part of an aligned 8-byte word
        long word = at & ~7L;
        int shift = (int) (at & 7) << 3;
        long mask = mask(size) << shift;
        while (true) {
            long old = (long) LONG_ATOMIC.getVolatile(ram, word);
            long found = (old & mask) >>> shift;
            if (found != expected) {
                VarHandle.fullFence();
                return found;
            }
            if (LONG_ATOMIC.compareAndSet(ram, word, old, old & ~mask | value << shift)) {
                return found;
            }
        }
    }

    /// The slow way: the page has no fast entry, or the value crosses 8 bytes.
    private long exclusiveExchange(long la, int size, long expected, long value) {
        long page = tlb.translate(la, Tlb.WRITE, size);
        boolean crossesPage = (la & 0xFFF) + size > 4096;
        if (crossesPage) {
            tlb.translate((la & PAGE) + 4096, Tlb.WRITE, 1);
        }
        long at = memory.writableOffsetOf(page);
        if (at >= 0 && (at & 7) + size <= 8) {
            long found = exchangeAt(at, size, expected, value);
            if (found == expected) {
                written(at, size);
            }
            return found;
        }
        LockedAccess host = locked;
        if (at >= 0 && !crossesPage && host != null) {
            long found = host.exchange(at, size, expected, value);
            if (found == expected) {
                written(at, size);
            }
            return found;
        }
        synchronized (processors.splitLock()) {
            VarHandle.fullFence();
            long found = load(la, size) & mask(size);
            store(la, size, found == expected ? value : found);
            VarHandle.fullFence();
            return found;
        }
    }

    private static long mask(int size) {
        return size == 8 ? -1L : (1L << 8 * size) - 1;
    }

    // ---------------------------------------------------------------- walks by others

    /// Whether linear addresses are translated by tables of four or five levels, and accesses to pages that have
    /// been accessed need no further thought.
    public boolean walksPlainly() {
        Control control = cpu.control;
        return control.paging() && control.longModeActive() && !cpu.debug.watchesAnything() && !memory.dirtyLogging();
    }

    /// Whether bit 63 of an entry in these tables is not reserved.
    public boolean hasNoExecute() {
        return cpu.control.noExecuteEnabled();
    }

    /// Whether these tables have five levels.
    public boolean hasFiveLevels() {
        return cpu.control.fiveLevels();
    }

    /// Whether pages can be global.
    public boolean hasGlobalPages() {
        return cpu.control.globalPages();
    }

    /// Whether pages can have 1 GiB.
    public boolean hasHugePages() {
        return cpu.control.hugePages();
    }

    // ---------------------------------------------------------------- implicit supervisor accesses

    /// Reads a table of the system (GDT, LDT, IDT, TSS): with supervisor rights whatever the privilege level is.
    public long systemLoad(long la, int size) {
        int context = tlb.enterSystem();
        try {
            return load(la, size);
        } finally {
            tlb.leaveSystem(context);
        }
    }

    /// Writes to a table of the system or to an inner stack.
    public void systemStore(long la, int size, long value) {
        int context = tlb.enterSystem();
        try {
            store(la, size, value);
        } finally {
            tlb.leaveSystem(context);
        }
    }

    /// [#checkWrite] for [#systemStore].
    public void systemCheckWrite(long la, int size) {
        int context = tlb.enterSystem();
        try {
            checkWrite(la, size);
        } finally {
            tlb.leaveSystem(context);
        }
    }

    /// Sets bits in a byte of a system table under LOCK: accessed and busy bits of descriptors.
    void systemSetBits(long la, int bits) {
        int context = tlb.enterSystem();
        try {
            checkWrite(la, 1);
            int old = load8(la);
            while ((old & bits) != bits) {
                int found = (int) compareAndExchange(la, 1, old, old | bits);
                if (found == old) {
                    return;
                }
                old = found;
            }
        } finally {
            tlb.leaveSystem(context);
        }
    }

    // ---------------------------------------------------------------- the slow way

    private long slowLoad(long la, int size) {
        cpu.debug.noteAccess(la, size, false);
        int inPage = 4096 - (int) (la & 0xFFF);
        long gpa = tlb.translate(la, Tlb.READ, size);
        if (inPage >= size) {
            return physicalLoad(gpa, size);
        }
        long second = tlb.translate((la & PAGE) + 4096, Tlb.READ, 1);
        return piecewiseLoad(gpa, inPage) | piecewiseLoad(second, size - inPage) << 8 * inPage;
    }

    private void slowStore(long la, int size, long value) {
        cpu.debug.noteAccess(la, size, true);
        int inPage = 4096 - (int) (la & 0xFFF);
        long gpa = tlb.translate(la, Tlb.WRITE, size);
        if (inPage >= size) {
            physicalStore(gpa, size, value);
            return;
        }
        long second = tlb.translate((la & PAGE) + 4096, Tlb.WRITE, 1);
        piecewiseStore(gpa, inPage, value);
        piecewiseStore(second, size - inPage, value >>> 8 * inPage);
    }

    /// One byte of code, `index` bytes after `la`, wherever it is.
    public int fetchByte(long la, int index) {
        long at = tlb.translateFetch(cpu.longMode64() ? la + index : la + index & 0xFFFF_FFFFL);
        if (at >= 0) {
            int value = ram.get(BYTE, at) & 0xFF;
            VarHandle.acquireFence();
            return value;
        }
        return (int) io.readMmio(-2 - at, 1) & 0xFF;
    }

    /// Any number of bytes up to 8 in naturally sized pieces, lowest first.
    private long piecewiseLoad(long gpa, int size) {
        long value = 0;
        int done = 0;
        while (done < size) {
            int piece = piece(gpa + done, size - done);
            value |= physicalLoad(gpa + done, piece) << 8 * done;
            done += piece;
        }
        return value;
    }

    private void piecewiseStore(long gpa, int size, long value) {
        int done = 0;
        while (done < size) {
            int piece = piece(gpa + done, size - done);
            physicalStore(gpa + done, piece, value >>> 8 * done);
            done += piece;
        }
    }

    private static int piece(long gpa, int rest) {
        int size = Integer.highestOneBit(rest);
        while ((gpa & size - 1) != 0) {
            size >>= 1;
        }
        return size;
    }

    /// Reads within one page by guest-physical address, zero-extended.
    long physicalLoad(long gpa, int size) {
        long at = memory.offsetOf(gpa);
        if (at < 0) {
            long value = io.readMmio(gpa, size) & mask(size);
            afterDevice();
            return value;
        }
        long value = switch (size) {
            case 1 -> ram.get(BYTE, at) & 0xFFL;
            case 2 -> ram.get(SHORT, at) & 0xFFFFL;
            case 4 -> ram.get(INT, at) & 0xFFFF_FFFFL;
            default -> ram.get(LONG, at);
        };
        VarHandle.acquireFence();
        return value;
    }

    /// Writes within one page by guest-physical address.
    void physicalStore(long gpa, int size, long value) {
        long at = memory.writableOffsetOf(gpa);
        if (at < 0) {
            if (memory.offsetOf(gpa) < 0) {
                io.writeMmio(gpa, size, value & mask(size));
                afterDevice();
            }
            return;
        }
        VarHandle.releaseFence();
        switch (size) {
            case 1 -> ram.set(BYTE, at, (byte) value);
            case 2 -> ram.set(SHORT, at, (short) value);
            case 4 -> ram.set(INT, at, (int) value);
            default -> ram.set(LONG, at, value);
        }
        written(at, size);
    }

    /// A device may have asked for something that should come before the next instruction.
    private void afterDevice() {
        if (cpu.attention()) {
            cpu.endBlock();
        }
    }

    /// Notes a store that did not take the fast way.
    private void written(long at, int size) {
        long page = at >>> GuestMemory.PAGE_SHIFT;
        if (memory.dirtyLogging()) {
            memory.markDirty(at, size);
        }
        if (memory.holdsCode(page)) {
            cpu.codeWritten(at, size);
        }
    }
}
