package org.jvirt.images.vhdx;

import java.io.IOException;
import java.nio.ByteOrder;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.file.ImageFile;

/// The block allocation table: MS-VHDX section 2.5. New blocks go to the file's end.
final class VhdxMap implements BlockMap {
    static final int NOT_PRESENT = 0;
    static final int ZEROED = 2;
    static final int FULLY_PRESENT = 6;
    static final int PARTIALLY_PRESENT = 7;
    private static final int STATE_MASK = 7;
    private static final long OFFSET_MASK = -(1L << 20);

    private final ImageFile file;
    private final VhdxRegions regions;
    private final VhdxMetadata metadata;
    private final VhdxLog log;
    private final EntryTable table;
    private final long chunkRatio;
    private long knownBytes;
    /// Behind it nothing is in use; known from [#placeEnd] on.
    private long end;

    VhdxMap(ImageFile file, VhdxRegions regions, VhdxMetadata metadata, VhdxLog log) {
        this.file = file;
        this.regions = regions;
        this.metadata = metadata;
        this.log = log;
        table = new EntryTable(file, regions.table().offset(), 8, ByteOrder.LITTLE_ENDIAN);
        chunkRatio = metadata.chunkRatio();
    }

    /// Decides where new blocks go.
    void placeEnd() throws IOException {
        end = Math.ceilDiv(file.sizeBytes(), VhdxRegions.UNIT_BYTES) * VhdxRegions.UNIT_BYTES;
    }

    long entry(long block) throws IOException {
        return table.get(block + block / chunkRatio);
    }

    static boolean present(long entry) {
        int state = (int) entry & STATE_MASK;
        return state == FULLY_PRESENT || state == PARTIALLY_PRESENT;
    }

    static long place(long entry) {
        return entry & OFFSET_MASK;
    }

    @Override
    public long locate(long block) throws IOException {
        long entry = entry(block);
        return switch ((int) entry & STATE_MASK) {
            case FULLY_PRESENT -> checked(block, place(entry));
            case PARTIALLY_PRESENT ->
                throw new IOException("%s: the image is broken: block %d is partial, but there is no parent"
                        .formatted(file.name(), block));
            case ZEROED -> ZERO;
            default -> ABSENT;
        };
    }

    private long checked(long block, long place) throws IOException {
        if (place > knownBytes) {
            knownBytes = file.sizeBytes();
        }
        if (place < 0 || place > knownBytes || !regions.mayHoldData(place, metadata.blockBytes())) {
            throw new IOException("%s: the image is broken: block %d is said to be at byte %s"
                    .formatted(file.name(), block, Long.toUnsignedString(place)));
        }
        return place;
    }

    @Override
    public long reserve(long block, int count) throws IOException {
        long place = end;
        end = place + count * metadata.blockBytes();
        return place;
    }

    @Override
    public void assign(long block, long placeBytes) throws IOException {
        table.set(block + block / chunkRatio, placeBytes | FULLY_PRESENT);
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
        EntryTable.Changes changes = table.takeChanges(LogEntry.SECTOR_BYTES);
        return new Save() {
            @Override
            public void write() throws IOException {
                log.write(VhdxLog.sectors(changes.patches()));
            }

            @Override
            public void done() {
                changes.done();
            }
        };
    }
}
