package org.jvirt.images.vhd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.file.ImageFile;

/// The table of a dynamic disk: for each block, in which sector of the file its bitmap begins; the data follows.
///
/// The bitmaps of all blocks that are written say that every sector is in use. New blocks go where the footer was,
/// which has a copy at the start of the file; the next flush puts a footer behind them, and leaves it its place.
final class DynamicMap implements BlockMap {
    private static final long UNUSED = 0xffff_ffffL;

    private final ImageFile file;
    private final byte[] footer;
    private final DynamicHeader header;
    private final EntryTable table;
    private final byte[] fullBitmap;
    /// Blocks whose bitmap is known to be full.
    private final BitSet complete = new BitSet();
    /// The file was at least so long once.
    private long knownBytes;
    /// Behind it nothing is in use; known from [#scan] on.
    private long end;

    DynamicMap(ImageFile file, byte[] footer, DynamicHeader header) {
        this.file = file;
        this.footer = footer;
        this.header = header;
        table = new EntryTable(file, header.tableOffset(), 4, ByteOrder.BIG_ENDIAN);
        fullBitmap = new byte[header.bitmapBytes()];
        Arrays.fill(fullBitmap, (byte) -1);
    }

    /// Finds the end of all blocks.
    void scan() throws IOException {
        long size = file.sizeBytes();
        long last = Math.max(header.tableEnd(), VhdFooter.BYTES + DynamicHeader.BYTES);
        for (long block = 0; block < header.entries(); block++) {
            long place = locate(block);
            if (place >= 0) {
                if (place + header.blockBytes() > size) {
                    throw broken(block, "ends behind the file; it has been truncated");
                }
                last = Math.max(last, place + header.blockBytes());
            }
        }
        end = last;
    }

    @Override
    public long locate(long block) throws IOException {
        long sector = table.get(block);
        if (sector == UNUSED) {
            return ABSENT;
        }
        long start = sector * 512;
        if (start > knownBytes) {
            knownBytes = file.sizeBytes();
        }
        if (start < header.tableEnd() || start > knownBytes) {
            throw broken(block, "is said to be at byte %d".formatted(start));
        }
        return start + header.bitmapBytes();
    }

    private IOException broken(long block, String what) {
        return new IOException("%s: the image is broken: block %d %s".formatted(file.name(), block, what));
    }

    @Override
    public void beforeWrite(long firstBlock, long lastBlock) throws IOException {
        for (long block = firstBlock; block <= lastBlock; block++) {
            if (!complete.get((int) block)) {
                file.write(locate(block) - header.bitmapBytes(), MemorySegment.ofArray(fullBitmap));
                complete.set((int) block);
            }
        }
    }

    @Override
    public int mostInLine() {
        return 1;
    }

    @Override
    public long reserve(long block, int count) throws IOException {
        long start = end;
        if (start / 512 >= UNUSED) {
            throw new IOException("%s is full: a VHD cannot be larger than 2 TiB".formatted(file.name()));
        }
        end = start + header.bitmapBytes() + header.blockBytes();
        return start + header.bitmapBytes();
    }

    @Override
    public void assign(long block, long placeBytes) throws IOException {
        long start = placeBytes - header.bitmapBytes();
        file.write(start, MemorySegment.ofArray(fullBitmap));
        complete.set((int) block);
        table.set(block, start / 512);
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
        var newFooter = new Patch(end, footer);
        end += VhdFooter.BYTES;
        return new Save() {
            @Override
            public void write() throws IOException {
                Patch.writeAll(file, changes.patches());
                file.write(newFooter.offsetBytes(), MemorySegment.ofArray(newFooter.bytes()));
            }

            @Override
            public void done() {
                changes.done();
            }
        };
    }
}
