package org.jvirt.images.vdi;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.file.ImageFile;

/// The table: for each block of the disk, which block of the file it is.
///
/// The header's count of blocks goes to the file before the table does: others append behind that count, so it must
/// never be too small.
final class VdiMap implements BlockMap {
    private static final long UNALLOCATED = 0xffff_ffffL;
    private static final long DISCARDED = 0xffff_fffeL;
    private static final int MOST_IN_LINE = 64;

    private final ImageFile file;
    private final VdiHeader header;
    private final EntryTable table;
    /// Which blocks of the file are taken; known from [#scan] on.
    private final BitSet taken = new BitSet();
    /// As [#taken], without those that are still being filled.
    private long assignedEnd;

    VdiMap(ImageFile file, VdiHeader header) {
        this.file = file;
        this.header = header;
        table = new EntryTable(file, header.mapOffset(), 4, ByteOrder.LITTLE_ENDIAN);
    }

    long entry(long block) throws IOException {
        return table.get(block);
    }

    static boolean allocated(long entry) {
        return entry < DISCARDED;
    }

    /// Finds out which blocks of the file are taken.
    void scan() throws IOException {
        taken.clear();
        for (long block = 0; block < header.blocks(); block++) {
            long entry = table.get(block);
            if (allocated(entry)) {
                checkEntry(block, entry);
                taken.set((int) entry);
            }
        }
        assignedEnd = taken.length();
    }

    @Override
    public long locate(long block) throws IOException {
        long entry = table.get(block);
        if (entry == UNALLOCATED) {
            return ABSENT;
        }
        if (entry == DISCARDED) {
            return ZERO;
        }
        checkEntry(block, entry);
        return header.dataOffset() + entry * header.blockBytes();
    }

    private void checkEntry(long block, long entry) throws IOException {
        if (entry >= header.blocks()) {
            throw new IOException("%s: the image is broken: block %d is said to be the %d. of %d"
                    .formatted(file.name(), block, entry, header.blocks()));
        }
    }

    @Override
    public int mostInLine() {
        return taken.cardinality() == taken.length() ? MOST_IN_LINE : 1;
    }

    @Override
    public long reserve(long block, int count) throws IOException {
        int first = taken.nextClearBit(0);
        if (first + (long) count > header.blocks()) {
            throw new IOException("%s: the image is broken: all %d blocks are taken, some of them more than once"
                    .formatted(file.name(), header.blocks()));
        }
        taken.set(first, first + count);
        return header.dataOffset() + first * header.blockBytes();
    }

    @Override
    public void assign(long block, long placeBytes) throws IOException {
        long entry = (placeBytes - header.dataOffset()) / header.blockBytes();
        table.set(block, entry);
        assignedEnd = Math.max(assignedEnd, entry + 1);
    }

    @Override
    public boolean wantsSaving() {
        return table.wantsSaving();
    }

    @Override
    public Save takeChanges() {
        if (!table.changed()) {
            return Save.NOTHING;
        }
        EntryTable.Changes changes = table.takeChanges(512);
        long count = assignedEnd;
        return new Save() {
            @Override
            public void prepare() throws IOException {
                writeCount(count);
            }

            @Override
            public void write() throws IOException {
                Patch.writeAll(file, changes.patches());
            }

            @Override
            public void done() {
                changes.done();
            }
        };
    }

    void writeCount(long count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, (int) count);
        file.write(VdiHeader.ALLOCATED_OFFSET, MemorySegment.ofBuffer(bytes));
    }
}
