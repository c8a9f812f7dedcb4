package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.file.ImageFile;

/// How often each cluster of the file is used. Guarded by the volume's lock.
///
/// ```
/// refcount table (in memory)     refcount blocks (a cache, least recently used out first)
/// ┌────┬────┬────┬────┐
/// │ B0 │ B1 │ 0  │ B3 │ ──────> ┌───┬───┬───┬───┬─ …    one counter for each cluster
/// └────┴────┴────┴────┘         └───┴───┴───┴───┴─
/// ```
///
/// A new block lies in the first cluster that it counts; a larger table lies behind everything counted so far, with
/// the blocks for itself. Counters in the file may be too high at any time: that only loses space. So a block may
/// be written whenever it must leave the cache, and counters are lowered only when nothing durable needs them.
final class Refcounts {
    private static final int CACHE_BYTES = 4 << 20;
    private static final int MIN_CACHED = 4;

    private final ImageFile file;
    private final Geometry geometry;
    private final Volume volume;
    private long[] table;
    private int tableDirtyFrom = Integer.MAX_VALUE;
    private int tableDirtyTo;
    private final int maxCached;
    private final Map<Integer, RefcountBlock> blocks = new LinkedHashMap<>(16, 0.75f, true);
    /// Blocks without a free counter, so that a search need not look into them.
    private final BitSet full = new BitSet();

    private @Nullable RefcountBlock last;
    private int freshBlocks;

    Refcounts(Volume volume, long[] table) {
        this.volume = volume;
        this.file = volume.file;
        this.geometry = volume.geometry;
        this.table = table;
        maxCached = Math.max(MIN_CACHED, CACHE_BYTES >> geometry.clusterBits());
    }

    /// The first cluster behind all that the table can count.
    private long covered() {
        return (long) table.length << geometry.refcountBlockBits();
    }

    long get(long cluster) throws IOException {
        long index = cluster >>> geometry.refcountBlockBits();
        if (index >= table.length || table[(int) index] == 0) {
            return 0;
        }
        return block((int) index).get(inBlock(cluster));
    }

    private int inBlock(long cluster) {
        return (int) cluster & (geometry.refcountBlockEntries() - 1);
    }

    /// Counts `clusters` clusters up (or down).
    ///
    /// @throws IOException if a counter would leave its range; then none is changed
    void add(long firstCluster, long clusters, long delta) throws IOException {
        for (long i = 0; i < clusters; i++) {
            long count = get(firstCluster + i);
            if (delta < 0 ? count < -delta : count > geometry.maxRefcount() - delta) {
                if (delta > 0) {
                    throw new IOException(
                            "Cannot use cluster 0x%x of %s once more: its counter of %d bits is at its limit"
                                    .formatted(
                                            firstCluster + i << geometry.clusterBits(),
                                            file.name(),
                                            geometry.refcountBits()));
                }
                throw volume.corrupt("cluster 0x%x is given back more often than it is used"
                        .formatted(firstCluster + i << geometry.clusterBits()));
            }
        }
        for (long cluster = firstCluster; cluster < firstCluster + clusters; cluster++) {
            RefcountBlock block = ensureBlock(cluster >>> geometry.refcountBlockBits());
            long count = block.get(inBlock(cluster)) + delta;
            block.set(inBlock(cluster), count);
            if (count == 0) {
                full.clear(block.index);
            }
        }
    }

    /// Sets a counter, for repairs.
    void set(long cluster, long count) throws IOException {
        ensureBlock(cluster >>> geometry.refcountBlockBits()).set(inBlock(cluster), count);
        if (count == 0) {
            full.clear((int) (cluster >>> geometry.refcountBlockBits()));
        }
    }

    /// The first free cluster from `from` on; its block is there.
    long nextFree(long from) throws IOException {
        long cluster = from;
        while (true) {
            long index = cluster >>> geometry.refcountBlockBits();
            int next = index < Integer.MAX_VALUE ? full.nextClearBit((int) index) : (int) index;
            if (next != index) {
                cluster = (long) next << geometry.refcountBlockBits();
                index = next;
            }
            RefcountBlock block = ensureBlock(index);
            int found = block.nextFree(inBlock(cluster));
            if (found < block.size()) {
                return (index << geometry.refcountBlockBits()) + found;
            }
            if (inBlock(cluster) == 0) {
                full.set((int) index);
            }
            cluster = index + 1 << geometry.refcountBlockBits();
        }
    }

    /// How many clusters from a free one on are free, in the same block, at most `max`.
    long freeRun(long cluster, long max) throws IOException {
        RefcountBlock block = ensureBlock(cluster >>> geometry.refcountBlockBits());
        int first = inBlock(cluster);
        int end = (int) Math.min(block.size(), first + max);
        int i = first;
        while (i < end && block.get(i) == 0) {
            i++;
        }
        return (long) i - first;
    }

    private RefcountBlock block(int index) throws IOException {
        RefcountBlock recent = last;
        if (recent != null && recent.index == index) {
            return recent;
        }
        RefcountBlock block = blocks.get(index);
        if (block == null) {
            long offset = table[index];
            if (offset < 0 || geometry.inCluster(offset) != 0) {
                throw volume.corrupt("refcount block %d is at 0x%x, which is no place for it".formatted(index, offset));
            }
            block = new RefcountBlock(
                    index, offset, BigEndian.read(file, offset, geometry.clusterBytes()), geometry.refcountOrder());
            insert(block);
        }
        last = block;
        return block;
    }

    private void insert(RefcountBlock block) throws IOException {
        Iterator<RefcountBlock> oldest = blocks.values().iterator();
        while (blocks.size() >= maxCached && oldest.hasNext()) {
            RefcountBlock out = oldest.next();
            if (out.writing || out.fresh) {
                continue;
            }
            if (out.dirty()) {
                Patch patch = out.takeDirty();
                try {
                    BigEndian.write(file, patch.offset(), patch.bytes());
                } catch (IOException e) {
                    out.markAllDirty();
                    throw e;
                }
            }
            oldest.remove();
        }
        blocks.put(block.index, block);
    }

    private RefcountBlock ensureBlock(long index) throws IOException {
        if (index >= table.length) {
            growTable(index);
        }
        if (table[(int) index] != 0) {
            return block((int) index);
        }
        long offset = index << geometry.refcountBlockBits() + geometry.clusterBits();
        RefcountBlock block = freshBlock((int) index, offset);
        block.set(0, 1);
        block.markAllDirty();
        insert(block);
        last = block;
        setEntry((int) index, offset);
        volume.allocator.occupied(offset + geometry.clusterBytes());
        return block;
    }

    private RefcountBlock freshBlock(int index, long offset) throws IOException {
        if (volume.metadata.overlap(offset, geometry.clusterBytes()) >= 0) {
            throw volume.corrupt("the free cluster 0x%x holds metadata".formatted(offset));
        }
        var block = new RefcountBlock(index, offset, new byte[geometry.clusterBytes()], geometry.refcountOrder());
        block.fresh = true;
        freshBlocks++;
        volume.metadata.add(offset);
        return block;
    }

    private void setEntry(int index, long offset) {
        table[index] = offset;
        tableDirtyFrom = Math.min(tableDirtyFrom, index);
        tableDirtyTo = Math.max(tableDirtyTo, index + 1);
    }

    /// Makes a larger table, durably, before anything can depend on it.
    private void growTable(long neededIndex) throws IOException {
        int perCluster = geometry.clusterBytes() / 8;
        long start = covered();
        long wanted = Math.max(neededIndex + 1, table.length + table.length / 2L);
        long clusters;
        long newBlocks = 0;
        do {
            clusters = (wanted + newBlocks + perCluster - 1) / perCluster;
            newBlocks = (clusters + newBlocks + geometry.refcountBlockEntries() - 1) / geometry.refcountBlockEntries();
        } while (clusters * perCluster < wanted + newBlocks
                || newBlocks * geometry.refcountBlockEntries() < clusters + newBlocks);
        long bytes = clusters << geometry.clusterBits();
        if (bytes > Math.max(Qcow2Header.MAX_REFCOUNT_TABLE_BYTES, geometry.clusterBytes())) {
            throw new IOException(
                    "Cannot enlarge %s: its refcount table would take more than 8 MiB; use larger clusters"
                            .formatted(file.name()));
        }
        long offset = start << geometry.clusterBits();
        if (volume.metadata.overlap(offset, bytes) >= 0) {
            throw volume.corrupt("metadata lies at 0x%x and is counted nowhere".formatted(offset));
        }
        int oldLength = table.length;
        long[] larger = java.util.Arrays.copyOf(table, (int) (clusters * perCluster));
        List<RefcountBlock> added = new ArrayList<>();
        for (long i = 0; i < newBlocks; i++) {
            RefcountBlock block = freshBlock((int) (oldLength + i), offset + bytes + (i << geometry.clusterBits()));
            long counted = Math.clamp(clusters + newBlocks - i * block.size(), 0, block.size());
            for (int c = 0; c < counted; c++) {
                block.set(c, 1);
            }
            block.markAllDirty();
            larger[block.index] = block.offset;
            added.add(block);
        }
        volume.allocator.occupied(offset + bytes + (newBlocks << geometry.clusterBits()));
        for (RefcountBlock block : added) {
            insert(block);
        }
        List<Patch> patches = new ArrayList<>();
        for (RefcountBlock block : blocks.values()) {
            if (block.fresh) {
                patches.add(block.takeDirty());
                // Stays dirty: a commit that is under way may write an older copy after this one.
                block.markAllDirty();
            }
        }
        patches.add(new Patch(offset, BigEndian.encode(larger, 0, larger.length)));
        Patch.writeAll(file, patches);
        file.flush();
        long oldOffset = volume.header.refcountTableOffset;
        long oldClusters = volume.header.refcountTableClusters;
        volume.header.refcountTableOffset = offset;
        volume.header.refcountTableClusters = (int) clusters;
        volume.writeHeaderFields();
        file.flush();
        for (RefcountBlock block : blocks.values()) {
            block.fresh = false;
        }
        freshBlocks = 0;
        table = larger;
        tableDirtyFrom = Integer.MAX_VALUE;
        tableDirtyTo = 0;
        volume.metadata.removeRange(oldOffset);
        volume.metadata.addRange(offset, bytes);
        volume.allocator.freeLater(oldOffset, oldClusters, false);
    }

    /// What a commit has to write.
    ///
    /// @param fresh   blocks that must be durable before `table` is written
    /// @param counted the others
    /// @param table   entries, empty if none has changed
    /// @param taken   all blocks that are in it
    record Batch(List<Patch> fresh, List<Patch> counted, List<Patch> table, List<RefcountBlock> taken) {}

    Batch take() {
        List<Patch> fresh = new ArrayList<>();
        List<Patch> counted = new ArrayList<>();
        List<RefcountBlock> taken = new ArrayList<>();
        for (RefcountBlock block : blocks.values()) {
            if (block.dirty()) {
                (block.fresh ? fresh : counted).add(block.takeDirty());
                block.writing = true;
                taken.add(block);
            }
        }
        List<Patch> entries = new ArrayList<>();
        if (tableDirtyTo > 0) {
            entries.add(new Patch(
                    volume.header.refcountTableOffset + tableDirtyFrom * 8L,
                    BigEndian.encode(table, tableDirtyFrom, tableDirtyTo)));
            tableDirtyFrom = Integer.MAX_VALUE;
            tableDirtyTo = 0;
        }
        return new Batch(fresh, counted, entries, taken);
    }

    boolean dirty() {
        return tableDirtyTo > 0 || blocks.values().stream().anyMatch(RefcountBlock::dirty);
    }

    boolean hasFreshBlocks() {
        return freshBlocks > 0;
    }

    void written(Batch batch, boolean failed) {
        boolean tableWritten = !batch.table.isEmpty() || !batch.fresh.isEmpty();
        for (RefcountBlock block : batch.taken) {
            block.writing = false;
            if (failed) {
                block.markAllDirty();
            } else if (block.fresh && tableWritten) {
                block.fresh = false;
                freshBlocks--;
            }
        }
        if (failed && !batch.table.isEmpty()) {
            tableDirtyFrom = 0;
            tableDirtyTo = table.length;
        }
    }

    /// Where blocks are, by index; 0 where there is none. Not to be changed.
    long[] table() {
        return table;
    }
}
