package org.jvirt.images.vmdk;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.EntryTable;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.file.ImageFile;

/// The grain tables of a sparse extent, found through its grain directory; and the redundant ones, which are kept
/// alike. New grains go to the file's end.
final class SparseMap implements BlockMap {
    private static final long ZEROED_GRAIN = 1;

    private final ImageFile file;
    private final SparseHeader header;
    private final EntryTable tables;
    private final @Nullable EntryTable redundant;
    private long knownBytes;
    /// Behind it nothing is in use; known from [#placeEnd] on.
    private long end;

    SparseMap(ImageFile file, SparseHeader header) {
        this.file = file;
        this.header = header;
        tables = grainTables(file, header, header.directory());
        redundant = header.hasRedundant() ? grainTables(file, header, header.redundantDirectory()) : null;
    }

    private static EntryTable grainTables(ImageFile file, SparseHeader header, long directorySector) {
        var directory = new EntryTable(file, directorySector * 512, 4, ByteOrder.LITTLE_ENDIAN);
        return new EntryTable(file, 4, ByteOrder.LITTLE_ENDIAN, header.entriesPerTable() * 4, table -> {
            long sector = directory.get(table);
            return sector == 0 ? -1 : sector * 512;
        });
    }

    /// Decides where new grains go: behind the file's end, at a multiple of their size.
    void placeEnd() throws IOException {
        end = Math.ceilDiv(file.sizeBytes(), header.grainBytes()) * header.grainBytes();
    }

    long entry(long grain) throws IOException {
        return tables.get(grain);
    }

    @Override
    public long locate(long grain) throws IOException {
        long entry = tables.get(grain);
        if (entry == 0) {
            return ABSENT;
        }
        if (entry == ZEROED_GRAIN && header.hasZeroedGrains()) {
            return ZERO;
        }
        long place = entry * 512;
        if (place > knownBytes) {
            knownBytes = file.sizeBytes();
        }
        if (place > knownBytes) {
            throw new IOException(
                    "%s: the image is broken: grain %d is said to be at byte %d".formatted(file.name(), grain, place));
        }
        return place;
    }

    @Override
    public long reserve(long grain, int count) throws IOException {
        long place = end;
        if ((place + count * header.grainBytes()) / 512 >= 1L << 32) {
            throw new IOException("%s is full: an extent cannot be larger than 2 TiB".formatted(file.name()));
        }
        end = place + count * header.grainBytes();
        return place;
    }

    @Override
    public void assign(long grain, long placeBytes) throws IOException {
        set(grain, placeBytes / 512);
    }

    @Override
    public boolean knowsZero() {
        return header.hasZeroedGrains();
    }

    @Override
    public void assignZero(long grain) throws IOException {
        set(grain, ZEROED_GRAIN);
    }

    private void set(long grain, long entry) throws IOException {
        tables.set(grain, entry);
        if (redundant != null) {
            redundant.set(grain, entry);
        }
    }

    @Override
    public boolean wantsSaving() {
        return tables.wantsSaving();
    }

    @Override
    public Save takeChanges() {
        if (!tables.changed()) {
            return Save.NOTHING;
        }
        EntryTable.Changes changes = tables.takeChanges(512);
        EntryTable.@Nullable Changes copies = redundant == null ? null : redundant.takeChanges(512);
        return new Save() {
            @Override
            public void write() throws IOException {
                Patch.writeAll(file, changes.patches());
                if (copies != null) {
                    Patch.writeAll(file, copies.patches());
                }
            }

            @Override
            public void done() {
                changes.done();
                if (copies != null) {
                    copies.done();
                }
            }
        };
    }

    /// Grains that lie behind the end of the file, or where another does.
    ///
    /// @param wholeGrains whether each takes the space of a whole one
    Findings examine(boolean wholeGrains) throws IOException {
        long size = file.sizeBytes();
        BitSet used = new BitSet();
        long allocated = 0;
        long outside = 0;
        long shared = 0;
        for (long grain = 0; grain < header.grains(); grain++) {
            long entry = tables.get(grain);
            if (entry == 0 || entry == ZEROED_GRAIN && header.hasZeroedGrains()) {
                continue;
            }
            allocated++;
            if (entry * 512 >= size) {
                outside++;
                continue;
            }
            int number = (int) Math.min(entry / (wholeGrains ? header.grainSectors() : 1), Integer.MAX_VALUE);
            if (used.get(number)) {
                shared++;
            }
            used.set(number);
        }
        return new Findings(header.grains(), allocated, outside, shared);
    }

    /// What [#examine] finds.
    record Findings(long grains, long allocated, long outside, long shared) {}
}
