package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.file.ImageFile;

/// Where guest clusters are: the active L1 table in memory, and L2 tables through a cache. Guarded by the volume's
/// lock.
///
/// ```
/// L1 (in memory)        L2 tables (slices of them in L2Cache)       host clusters
/// ┌────┬────┬────┐      ┌────┬────┬────┬─
/// │ T0 │ 0  │ T2 │ ───> │ C0 │ C1 │ 0  │ …    ───────────────>     data, or compressed
/// └────┴────┴────┘      └────┴────┴────┴─
/// ```
final class ClusterMap {
    private static final int L1_SECTOR_ENTRIES = 64;

    private final Volume volume;
    private final ImageFile file;
    private final Geometry geometry;
    final L2Cache cache;
    private long[] l1;
    private final BitSet dirtyL1Sectors = new BitSet();

    ClusterMap(Volume volume, long[] l1, long cacheBytes) {
        this.volume = volume;
        this.file = volume.file;
        this.geometry = volume.geometry;
        this.l1 = l1;
        cache = new L2Cache(geometry.clusterBytes(), cacheBytes);
    }

    /// The active L1 table. Changed only by [#setL1] and [#replaceL1].
    long[] l1() {
        return l1;
    }

    /// A new active table; the caller has seen to it that the file has it.
    void replaceL1(long[] table) {
        l1 = table;
        dirtyL1Sectors.clear();
        cache.drop(0, Long.MAX_VALUE);
        volume.mapTables(table);
    }

    void setL1(int index, long entry) {
        l1[index] = entry;
        dirtyL1Sectors.set(index / L1_SECTOR_ENTRIES);
    }

    /// Forgets the L2 tables from an index on, and all they hold. The caller is alone, and commits.
    void dropTables(int fromIndex) throws IOException {
        for (int i = fromIndex; i < l1.length; i++) {
            long table = l1[i] & Qcow2Header.OFFSET_MASK;
            if (table == 0) {
                continue;
            }
            if (geometry.inCluster(table) != 0) {
                throw volume.corrupt("L2 table %d is at 0x%x".formatted(i, table));
            }
            byte[] entries = BigEndian.read(file, table, geometry.clusterBytes());
            cache.dropTable(table, geometry.clusterBytes());
            for (int at = 0; at < entries.length; at += geometry.l2EntryBytes()) {
                volume.allocator.release(BigEndian.get(entries, at), true);
            }
            volume.allocator.freeLater(table, 1, false);
            volume.metadata.remove(table);
            setL1(i, 0);
        }
    }

    /// The L2 table for a guest offset, 0 if there is none.
    long tableOf(long guestOffset) throws IOException {
        long index = geometry.l1Index(guestOffset);
        if (index >= l1.length) {
            return 0;
        }
        long entry = l1[(int) index];
        long offset = entry & Qcow2Header.OFFSET_MASK;
        if (geometry.inCluster(offset) != 0) {
            throw volume.corrupt("L2 table %d is at 0x%x, which is no place for it".formatted(index, offset));
        }
        return offset;
    }

    /// Where in the file the slice with the entry of a guest offset begins.
    long sliceOffset(long table, long guestOffset) {
        return table + ((long) entryOffset(guestOffset) & -cache.sliceBytes());
    }

    private int entryOffset(long guestOffset) {
        return geometry.l2Index(guestOffset) * geometry.l2EntryBytes();
    }

    /// Where in its slice the entry of a guest offset begins.
    int inSlice(long guestOffset) {
        return entryOffset(guestOffset) & (cache.sliceBytes() - 1);
    }

    /// The slice, read now if it is not there.
    L2Slice slice(long table, long guestOffset) throws IOException {
        long offset = sliceOffset(table, guestOffset);
        L2Slice slice = cache.find(offset);
        return slice != null ? slice : cache.insert(readSlice(offset));
    }

    @Nullable
    L2Slice cachedSlice(long table, long guestOffset) {
        return cache.find(sliceOffset(table, guestOffset));
    }

    /// Needs no lock.
    L2Slice readSlice(long offset) throws IOException {
        return new L2Slice(offset, BigEndian.read(file, offset, cache.sliceBytes()));
    }

    /// The slice with the entry of a guest offset, in a table that only the active L1 table uses.
    L2Slice writableSlice(long guestOffset) throws IOException {
        long index = geometry.l1Index(guestOffset);
        if (index >= l1.length) {
            throw new IOException(
                    "Cannot write at %d of %s: its L1 table ends before".formatted(guestOffset, file.name()));
        }
        long table = tableOf(guestOffset);
        if (table == 0 || !L2Entry.copied(l1[(int) index])) {
            table = privateTable((int) index, table);
        }
        L2Slice slice = slice(table, guestOffset);
        cache.willChange(slice);
        return slice;
    }

    private long privateTable(int index, long shared) throws IOException {
        ClusterAllocator.Run run = volume.allocator.allocate(1);
        cache.dropTable(run.offset(), geometry.clusterBytes());
        if (shared != 0) {
            BigEndian.write(file, run.offset(), BigEndian.read(file, shared, geometry.clusterBytes()));
            volume.allocator.freeLater(shared, 1, false);
            volume.metadata.remove(shared);
        } else {
            // Even where it is zeroes already: no table may lie behind the end of the file.
            file.writeZeroes(run.offset(), geometry.clusterBytes(), run.fresh());
        }
        volume.metadata.add(run.offset());
        setL1(index, run.offset() | L2Entry.COPIED);
        return run.offset();
    }

    /// What a commit has to write.
    record Batch(List<Patch> patches, List<L2Slice> taken, long l1Offset, BitSet l1Sectors) {}

    boolean dirty() {
        return cache.hasDirty() || !dirtyL1Sectors.isEmpty();
    }

    Batch take() {
        List<L2Slice> taken = new ArrayList<>();
        List<Patch> patches = cache.take(taken);
        BitSet sectors = (BitSet) dirtyL1Sectors.clone();
        dirtyL1Sectors.clear();
        for (int from = sectors.nextSetBit(0); from >= 0; ) {
            int to = sectors.nextClearBit(from);
            int first = from * L1_SECTOR_ENTRIES;
            int behind = Math.min(l1.length, to * L1_SECTOR_ENTRIES);
            patches.add(new Patch(volume.header.l1Offset + first * 8L, BigEndian.encode(l1, first, behind)));
            from = sectors.nextSetBit(to);
        }
        return new Batch(patches, taken, volume.header.l1Offset, sectors);
    }

    void written(Batch batch, boolean failed) {
        cache.written(batch.taken, failed);
        if (failed && batch.l1Offset == volume.header.l1Offset) {
            dirtyL1Sectors.or(batch.l1Sectors);
        }
    }
}
