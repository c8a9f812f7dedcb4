package org.jvirt.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// All memory of a guest: one host mapping, and the slots that say which guest-physical ranges show which part of
/// it.
///
/// ```
/// guest-physical   0 ────── slot 0 ────── 0x8000_0000   (hole: PCI)   4 GiB ─── slot 1 ───
///                         │                                                │
/// backing          0 ─────┴────────────── 0x8000_0000 ────────────────────┴──────────────
/// ```
///
/// An access that leaves the slots throws [GuestAddressException] and touches nothing. Multi-byte values are
/// little-endian and need no alignment; aligned ones are read and written at once, never in parts. The plain
/// methods give the order a device needs on x86: a read is an acquire, a write a release. Writes are noted for
/// the dirty log and for pages that hold code. Thread-safe; [#close] comes last, after everything that runs or
/// does I/O has stopped.
public final class GuestMemory implements AutoCloseable {
    public static final int PAGE_SHIFT = 12;
    public static final long PAGE_BYTES = 1L << PAGE_SHIFT;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment backing;
    private final MemorySlot[] slots;
    private final Runnable release;
    private final PageBitmap dirty;
    private final PageBitmap code;
    private final List<PageWriteListener> codeListeners = new CopyOnWriteArrayList<>();
    private volatile boolean dirtyLogging;

    /// @param backing host memory, from a shared arena
    /// @param slots   disjoint in guest-physical space, inside `backing`
    /// @param release frees `backing`
    public GuestMemory(MemorySegment backing, List<MemorySlot> slots, Runnable release) {
        this.backing = backing;
        this.slots =
                slots.stream().sorted(Comparator.comparingLong(MemorySlot::gpa)).toArray(MemorySlot[]::new);
        this.release = release;
        checkSlots();
        dirty = new PageBitmap(backing.byteSize() >>> PAGE_SHIFT);
        code = new PageBitmap(backing.byteSize() >>> PAGE_SHIFT);
    }

    private void checkSlots() {
        for (int i = 0; i < slots.length; i++) {
            MemorySlot s = slots[i];
            if (s.offsetBytes() + s.sizeBytes() > backing.byteSize()) {
                throw new IllegalArgumentException("Slot %d ends at offset 0x%x, behind the backing's 0x%x bytes"
                        .formatted(s.id(), s.offsetBytes() + s.sizeBytes(), backing.byteSize()));
            }
            if (i > 0 && slots[i - 1].end() > s.gpa()) {
                throw new IllegalArgumentException("Cannot map %d KiB at 0x%x: overlaps slot %d (0x%x–0x%x)"
                        .formatted(
                                s.sizeBytes() >> 10,
                                s.gpa(),
                                slots[i - 1].id(),
                                slots[i - 1].gpa(),
                                slots[i - 1].end() - 1));
            }
        }
    }

    /// The host memory behind all slots. Engines address it by offset; whoever writes to it directly calls
    /// [#markWritten] for pages that the dirty log or [#holdsCode] cover.
    public MemorySegment backing() {
        return backing;
    }

    /// By guest-physical address.
    public List<MemorySlot> slots() {
        return List.of(slots);
    }

    /// RAM that the guest can write, in bytes.
    public long ramBytes() {
        long sum = 0;
        for (MemorySlot s : slots) {
            sum += s.readOnly() ? 0 : s.sizeBytes();
        }
        return sum;
    }

    /// The offset in [#backing] of a guest-physical address, or -1 where there is no memory.
    public long offsetOf(long gpa) {
        for (MemorySlot s : slots) {
            if (s.contains(gpa)) {
                return gpa - s.gpa() + s.offsetBytes();
            }
        }
        return -1;
    }

    /// As [#offsetOf], but -1 for read-only memory too.
    public long writableOffsetOf(long gpa) {
        for (MemorySlot s : slots) {
            if (s.contains(gpa)) {
                return s.readOnly() ? -1 : gpa - s.gpa() + s.offsetBytes();
            }
        }
        return -1;
    }

    /// Whether all of the range is memory of one slot.
    public boolean contains(long gpa, long lengthBytes) {
        for (MemorySlot s : slots) {
            if (s.contains(gpa)) {
                return lengthBytes >= 0 && lengthBytes <= s.end() - gpa;
            }
        }
        return false;
    }

    public int readByte(long gpa) {
        int value = backing.get(ValueLayout.JAVA_BYTE, readable(gpa, 1)) & 0xff;
        VarHandle.acquireFence();
        return value;
    }

    public int readShort(long gpa) {
        int value = backing.get(SHORT, readable(gpa, 2)) & 0xffff;
        VarHandle.acquireFence();
        return value;
    }

    public int readInt(long gpa) {
        int value = backing.get(INT, readable(gpa, 4));
        VarHandle.acquireFence();
        return value;
    }

    public long readLong(long gpa) {
        long value = backing.get(LONG, readable(gpa, 8));
        VarHandle.acquireFence();
        return value;
    }

    public void writeByte(long gpa, int value) {
        long offset = writable(gpa, 1);
        VarHandle.releaseFence();
        backing.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
        markWritten(offset, 1);
    }

    public void writeShort(long gpa, int value) {
        long offset = writable(gpa, 2);
        VarHandle.releaseFence();
        backing.set(SHORT, offset, (short) value);
        markWritten(offset, 2);
    }

    public void writeInt(long gpa, int value) {
        long offset = writable(gpa, 4);
        VarHandle.releaseFence();
        backing.set(INT, offset, value);
        markWritten(offset, 4);
    }

    public void writeLong(long gpa, long value) {
        long offset = writable(gpa, 8);
        VarHandle.releaseFence();
        backing.set(LONG, offset, value);
        markWritten(offset, 8);
    }

    public void read(long gpa, byte[] into) {
        MemorySegment.copy(backing, ValueLayout.JAVA_BYTE, readable(gpa, into.length), into, 0, into.length);
        VarHandle.acquireFence();
    }

    public void write(long gpa, byte[] from) {
        write(gpa, MemorySegment.ofArray(from));
    }

    public void write(long gpa, MemorySegment from) {
        if (from.byteSize() == 0) {
            return;
        }
        long offset = writable(gpa, from.byteSize());
        VarHandle.releaseFence();
        MemorySegment.copy(from, 0, backing, offset, from.byteSize());
        markWritten(offset, from.byteSize());
    }

    public void fill(long gpa, long lengthBytes, byte value) {
        if (lengthBytes == 0) {
            return;
        }
        long offset = writable(gpa, lengthBytes);
        backing.asSlice(offset, lengthBytes).fill(value);
        markWritten(offset, lengthBytes);
    }

    /// A window for reading by I/O; it must not be written.
    public MemorySegment readSlice(long gpa, long lengthBytes) {
        return backing.asSlice(readable(gpa, lengthBytes), lengthBytes);
    }

    /// A window for I/O to fill. After filling, the caller calls [#wasFilled] with the same range, or the dirty log
    /// and code caches go stale.
    public MemorySegment writeSlice(long gpa, long lengthBytes) {
        return backing.asSlice(writable(gpa, lengthBytes), lengthBytes);
    }

    /// The end of what [#writeSlice] began.
    public void wasFilled(long gpa, long lengthBytes) {
        if (lengthBytes > 0) {
            markWritten(writable(gpa, lengthBytes), lengthBytes);
        }
    }

    /// Puts content into read-only slots: firmware, when the machine is built.
    public void load(long gpa, byte[] content) {
        MemorySegment.copy(MemorySegment.ofArray(content), 0, backing, readable(gpa, content.length), content.length);
    }

    /// Notes a write of `lengthBytes` at `offset` of [#backing].
    public void markWritten(long offset, long lengthBytes) {
        long first = offset >>> PAGE_SHIFT;
        long last = offset + lengthBytes - 1 >>> PAGE_SHIFT;
        boolean hitCode = false;
        for (long page = first; page <= last; page++) {
            if (dirtyLogging) {
                dirty.set(page);
            }
            hitCode |= code.get(page);
        }
        if (hitCode) {
            for (PageWriteListener listener : codeListeners) {
                listener.codePagesWritten(first, last - first + 1);
            }
        }
    }

    /// The half of [#markWritten] that concerns the dirty log: for an engine that settles its own stores to code
    /// itself.
    public void markDirty(long offset, long lengthBytes) {
        if (dirtyLogging) {
            long last = offset + lengthBytes - 1 >>> PAGE_SHIFT;
            for (long page = offset >>> PAGE_SHIFT; page <= last; page++) {
                dirty.set(page);
            }
        }
    }

    public boolean dirtyLogging() {
        return dirtyLogging;
    }

    /// Whether the page has been written since it was last taken; engines keep fast writes away from clean pages.
    public boolean isDirty(long page) {
        return dirty.get(page);
    }

    /// Takes and clears the dirty pages of `slot`. The first call switches logging on and answers all pages.
    public DirtyPages takeDirtyPages(MemorySlot slot) {
        int pages = Math.toIntExact(slot.sizeBytes() >>> PAGE_SHIFT);
        long first = slot.offsetBytes() >>> PAGE_SHIFT;
        var taken = new BitSet(pages);
        if (!dirtyLogging) {
            dirtyLogging = true;
            taken.set(0, pages);
            return new DirtyPages(slot, taken);
        }
        for (int i = 0; i < pages; i++) {
            if (dirty.getAndClear(first + i)) {
                taken.set(i);
            }
        }
        return new DirtyPages(slot, taken);
    }

    /// Marks a page (offset / 4096) as holding decoded code, so that writes to it are reported.
    public void markCode(long page) {
        code.set(page);
    }

    public void clearCode(long page) {
        code.clear(page);
    }

    public boolean holdsCode(long page) {
        return code.get(page);
    }

    /// Address of what [#holdsCode] looks at, for generated code to read: bit `page % 8` of byte `page / 8`.
    /// Valid as long as this object is reachable.
    public long codePages() {
        return code.address();
    }

    public void addCodeListener(PageWriteListener listener) {
        codeListeners.add(listener);
    }

    @Override
    public void close() {
        release.run();
    }

    private long readable(long gpa, long lengthBytes) {
        for (MemorySlot s : slots) {
            if (s.contains(gpa)) {
                if (lengthBytes < 0 || lengthBytes > s.end() - gpa) {
                    break;
                }
                return gpa - s.gpa() + s.offsetBytes();
            }
        }
        throw new GuestAddressException(gpa, lengthBytes);
    }

    private long writable(long gpa, long lengthBytes) {
        for (MemorySlot s : slots) {
            if (s.contains(gpa)) {
                if (lengthBytes < 0 || lengthBytes > s.end() - gpa || s.readOnly()) {
                    break;
                }
                return gpa - s.gpa() + s.offsetBytes();
            }
        }
        throw new GuestAddressException(gpa, lengthBytes);
    }
}
