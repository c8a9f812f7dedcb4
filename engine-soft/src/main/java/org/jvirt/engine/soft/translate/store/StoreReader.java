package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.store.CodeStore.Kept;
import org.jvirt.x86.Decoder;

/// One processor's way to the translations of a [CodeStore].
///
/// Of what does not fit hardly anything is read: the index tells. Records are read through a window, and what is
/// around a record in it is mostly of the same page of guest code.
///
/// ```
///          ┌────────────── window ───────────────┐
/// … record │ record ← record ← found → record →  │ record …
/// ```
///
/// Owner thread only.
public final class StoreReader implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final int WINDOW_BYTES = 1 << 14;
    /// How much of the window is before the record that it is read for.
    private static final int BEFORE_BYTES = 6 << 10;

    private final CodeStore store;
    private final MemorySegment ram;
    /// A page of guest code as far as it has been looked at, and the start of what follows it.
    private final byte[] guest = new byte[PAGE + Decoder.MAX_LENGTH];

    private final Arena arena = Arena.ofShared();
    private final MemorySegment room = arena.allocate(WINDOW_BYTES, StoreFile.ALIGNMENT);
    private final byte[] window = new byte[WINDOW_BYTES];
    private long windowAt;
    private int windowBytes;
    /// The record that was opened last: where it is, with its header.
    private byte[] record = window;
    private int recordAt;
    private final CRC32C crc = new CRC32C();
    private long looked;

    /// @param ram what backing offsets count in
    public StoreReader(CodeStore store, MemorySegment ram) {
        this.store = store;
        this.ram = ram;
    }

    /// Takes what is around something that was found.
    public interface Neighbours {
        /// Whether a translation of what begins at an offset in the page is wanted.
        boolean want(int start);

        /// Takes one that is for the page as it is now.
        void take(Kept kept);
    }

    /// As [CodeStore#growth].
    public int growth() {
        return store.growth();
    }

    /// How many records have been looked at because a block might be theirs.
    long looked() {
        return looked;
    }

    /// A translation for the guest's code at linear address `rip`, which is at a backing offset; null if there is
    /// none.
    ///
    /// @param secondPage backing page of what follows if the block goes on there, or -1
    public @Nullable Kept find(int context, long rip, long at, long secondPage) {
        int start = (int) (at & PAGE - 1);
        int rest = PAGE - start;
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at, guest, start, Math.min(rest, Opening.MOST_BYTES));
        boolean crosses = secondPage >= 0;
        long whole = StoredBlock.key(context, start, guest, start, rest, crosses);
        Kept found = find(whole, context, rip, at, secondPage);
        if (found != null || rest <= 1) {
            return found;
        }
        long one = StoredBlock.key(context, start, guest, start, 1, crosses);
        return one == whole ? null : find(one, context, rip, at, secondPage);
    }

    private @Nullable Kept find(long key, int context, long rip, long at, long secondPage) {
        if (store.hasMade()) {
            int available = load(at, secondPage);
            StoredBlock made = store.made(key, context, rip, secondPage >= 0, guest, available);
            if (made != null) {
                return new Kept(made, 0);
            }
        }
        RecordIndex.Table table = store.records();
        if (table == null) {
            return null;
        }
        int start = (int) (at & PAGE - 1);
        for (int slot = table.first(key); slot >= 0; slot = table.next(key, slot)) {
            if (table.opens(slot, guest, start, rip)) {
                int available = load(at, secondPage);
                looked++;
                Kept found = fitting(table.position(slot), context, rip, secondPage >= 0, available);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    /// Reads the page that a backing offset is on; answers how many bytes there are with what follows.
    private int load(long at, long secondPage) {
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at & -PAGE, guest, 0, PAGE);
        if (secondPage < 0) {
            return PAGE;
        }
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, secondPage * PAGE, guest, PAGE, Decoder.MAX_LENGTH);
        return guest.length;
    }

    private @Nullable Kept fitting(int position, int context, long rip, boolean crosses, int available) {
        if (!open(position) || !StoredBlock.fits(record, block(), length(), context, rip, crosses, guest, available)) {
            return null;
        }
        StoredBlock block = decode();
        return block == null ? null : new Kept(block, position);
    }

    /// The translation at the position that [Kept] tells; null if it cannot be read any more.
    public @Nullable StoredBlock read(int position) {
        return position != 0 && open(position) ? decode() : null;
    }

    /// Finds translations of the page that a backing offset is on, around the record at a position: as many as are
    /// in the window.
    ///
    /// @param rip a linear address on the page
    public void around(int position, int context, long rip, long at, Neighbours taker) {
        if (position == 0 || !open(position) || record.length != WINDOW_BYTES) {
            return;
        }
        int available = load(at, -1);
        int back = recordAt;
        int step = StoredBlock.word(window, back + StoreFile.RECORD_BACK);
        while (step > 0 && step <= back) {
            back -= step;
            step = StoredBlock.word(window, back + StoreFile.RECORD_BACK);
        }
        int last = windowBytes - StoreFile.RECORD_HEADER;
        int each = back;
        long before = windowAt;
        while (windowAt == before && each <= last && length(each) <= last - each) {
            if (each != (int) (position - windowAt)) {
                neighbour(each, context, rip, available, taker);
            }
            int forth = StoredBlock.word(window, each + StoreFile.RECORD_FORTH);
            if (forth <= 0 || forth > last - each) {
                return;
            }
            each += forth;
        }
    }

    private void neighbour(int each, int context, long rip, int available, Neighbours taker) {
        recordAt = each;
        if (length() < StoredBlock.LEAST_BYTES || !StoredBlock.isPlain(window, block(), context)) {
            return;
        }
        int start = StoredBlock.start(window, block());
        if (start < 0 || start > PAGE - Decoder.MAX_LENGTH || !taker.want(start)) {
            return;
        }
        long address = rip & -PAGE | start;
        Kept kept = fitting((int) (windowAt + each), context, address, false, available);
        if (kept != null) {
            taker.take(kept);
        }
    }

    /// Where the block of the record is.
    private int block() {
        return recordAt + StoreFile.RECORD_HEADER;
    }

    private int length() {
        return StoredBlock.word(record, recordAt);
    }

    private int length(int at) {
        int length = StoredBlock.word(window, at);
        return length < 0 ? Integer.MAX_VALUE : length;
    }

    /// The block of the record, or null if that is damaged.
    private @Nullable StoredBlock decode() {
        crc.reset();
        int from = recordAt + StoreFile.RECORD_BACK;
        crc.update(record, from, block() + length() - from);
        boolean whole = (int) crc.getValue() == StoredBlock.word(record, recordAt + StoreFile.RECORD_CHECKSUM);
        StoredBlock block = whole ? StoredBlock.decode(record, block(), length()) : null;
        if (block == null) {
            store.foundDamage();
        }
        return block;
    }

    /// Makes the record at a position the one that is looked at; false if there is none.
    private boolean open(int position) {
        try {
            if (!holds(position, StoreFile.RECORD_HEADER)) {
                fill(Math.max(0, position - BEFORE_BYTES));
            }
            if (!holds(position, StoreFile.RECORD_HEADER)) {
                return false;
            }
            int length = StoredBlock.word(window, (int) (position - windowAt));
            if (length <= 0 || length > StoreFile.MOST_RECORD_BYTES) {
                return false;
            }
            int whole = StoreFile.RECORD_HEADER + length;
            if (whole > WINDOW_BYTES) {
                return openLarge(position, whole);
            }
            if (!holds(position, whole)) {
                fill(position);
            }
            record = window;
            recordAt = (int) (position - windowAt);
            return holds(position, whole);
        } catch (IOException e) {
            // as if it were damaged
            return false;
        }
    }

    private boolean holds(long position, int bytes) {
        return position >= windowAt && position + bytes <= windowAt + windowBytes;
    }

    private void fill(long position) throws IOException {
        windowBytes = 0;
        windowAt = position;
        windowBytes = (int) store.read(position, room);
        MemorySegment.copy(room, ValueLayout.JAVA_BYTE, 0, window, 0, windowBytes);
    }

    private boolean openLarge(int position, int bytes) throws IOException {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment whole = temporary.allocate(bytes, StoreFile.ALIGNMENT);
            boolean there = store.read(position, whole) == bytes;
            recordAt = 0;
            record = whole.toArray(ValueLayout.JAVA_BYTE);
            return there;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
