package org.jvirt.images.parallels;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.file.ImageFile;

/// The table: for each cluster, where it begins; 0 for those that do not exist. New clusters go to the file's end.
final class ParallelsMap implements BlockMap {
    private final ImageFile file;
    private final ParallelsHeader header;
    private final EntryTable table;
    private final long firstEntry;
    private long knownBytes;
    /// Behind it nothing is in use; known from [#placeEnd] on.
    private long end;

    ParallelsMap(ImageFile file, ParallelsHeader header) {
        this.file = file;
        this.header = header;
        // The table is counted from the start of the file, so that its pages are the file's.
        table = new EntryTable(file, 0, 4, ByteOrder.LITTLE_ENDIAN);
        firstEntry = ParallelsHeader.BYTES / 4;
    }

    long entry(long cluster) throws IOException {
        return table.get(firstEntry + cluster);
    }

    void forget(long cluster) throws IOException {
        table.set(firstEntry + cluster, 0);
    }

    /// Decides where new clusters go: behind the file's end, where nobody's can be.
    void placeEnd() throws IOException {
        long unit = header.unitBytes();
        end = Math.ceilDiv(Math.max(file.sizeBytes(), header.dataStart()), unit) * unit;
    }

    @Override
    public long locate(long cluster) throws IOException {
        long entry = entry(cluster);
        if (entry == 0) {
            return ABSENT;
        }
        long place = entry * header.unitBytes();
        if (place > knownBytes) {
            knownBytes = file.sizeBytes();
        }
        if (place < header.tableEnd() || place > knownBytes) {
            throw new IOException("%s: the image is broken: cluster %d is said to be at byte %d"
                    .formatted(file.name(), cluster, place));
        }
        return place;
    }

    @Override
    public long reserve(long cluster, int count) throws IOException {
        long place = end;
        if ((place + count * header.clusterBytes()) / header.unitBytes() >= 1L << 32) {
            throw new IOException("%s is full: the table cannot count beyond %d bytes".formatted(file.name(), place));
        }
        end = place + count * header.clusterBytes();
        return place;
    }

    @Override
    public void assign(long cluster, long placeBytes) throws IOException {
        table.set(firstEntry + cluster, placeBytes / header.unitBytes());
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
        return new Save() {
            @Override
            public void write() throws IOException {
                for (Patch patch : changes.patches()) {
                    Patch.writeAll(file, List.of(withoutHeader(patch)));
                }
            }

            @Override
            public void done() {
                changes.done();
            }
        };
    }

    /// The first page begins with the header, which this table does not own.
    private static Patch withoutHeader(Patch patch) {
        return patch.offsetBytes() > 0
                ? patch
                : new Patch(
                        ParallelsHeader.BYTES,
                        Arrays.copyOfRange(patch.bytes(), ParallelsHeader.BYTES, patch.bytes().length));
    }
}
