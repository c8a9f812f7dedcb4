package org.jvirt.images.vhd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.file.ImageFile;

/// Which sectors a differencing disk has itself, by the bitmap of each block; the others are its parent's. Its
/// "blocks" are sectors.
final class DifferencingMap implements BlockMap {
    private static final long UNUSED = 0xffff_ffffL;

    private final ImageFile file;
    private final DynamicHeader header;
    private final EntryTable table;
    private final long sectorsPerBlock;
    private final byte[] bitmap;
    private long bitmapBlock = -1;

    DifferencingMap(ImageFile file, DynamicHeader header) {
        this.file = file;
        this.header = header;
        table = new EntryTable(file, header.tableOffset(), 4, ByteOrder.BIG_ENDIAN);
        sectorsPerBlock = header.blockBytes() / 512;
        bitmap = new byte[header.bitmapBytes()];
    }

    @Override
    public long locate(long sector) throws IOException {
        long block = sector / sectorsPerBlock;
        int inBlock = (int) (sector % sectorsPerBlock);
        long entry = table.get(block);
        if (entry == UNUSED) {
            return ABSENT;
        }
        if (block != bitmapBlock) {
            bitmapBlock = -1;
            file.read(entry * 512, MemorySegment.ofArray(bitmap));
            bitmapBlock = block;
        }
        boolean own = (bitmap[inBlock / 8] & 0x80 >>> inBlock % 8) != 0;
        return own ? entry * 512 + header.bitmapBytes() + inBlock * 512L : ABSENT;
    }
}
