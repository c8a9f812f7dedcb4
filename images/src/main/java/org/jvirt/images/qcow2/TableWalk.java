package org.jvirt.images.qcow2;

import java.io.IOException;

/// Goes through all L2 tables of an L1 table, straight on the file, and counts or flags what they refer to. The
/// caller is alone, and everything is in the file.
final class TableWalk {
    private final Volume volume;
    private final Geometry geometry;

    TableWalk(Volume volume) {
        this.volume = volume;
        this.geometry = volume.geometry;
    }

    /// Counts everything that is reachable up or down: L2 tables and what they point to, not the L1 table itself.
    void count(long[] l1, int fromIndex, long delta) throws IOException {
        volume.allocator.beginCompressedAnew();
        for (int i = fromIndex; i < l1.length; i++) {
            long table = tableAt(l1[i]);
            if (table == 0) {
                continue;
            }
            byte[] entries = BigEndian.read(volume.file, table, geometry.clusterBytes());
            volume.lock.lock();
            try {
                countEntries(entries, delta);
                volume.refcounts.add(table >>> geometry.clusterBits(), 1, delta);
            } finally {
                volume.lock.unlock();
            }
        }
    }

    private long tableAt(long l1Entry) throws IOException {
        long table = l1Entry & Qcow2Header.OFFSET_MASK;
        if (geometry.inCluster(table) != 0) {
            throw volume.corrupt("an L2 table is at 0x%x, which is no place for it".formatted(table));
        }
        return table;
    }

    private void countEntries(byte[] entries, long delta) throws IOException {
        int bits = geometry.clusterBits();
        long runStart = 0;
        long runLength = 0;
        for (int at = 0; at < entries.length; at += geometry.l2EntryBytes()) {
            long entry = BigEndian.get(entries, at);
            if (entry == 0) {
                continue;
            }
            long first;
            long clusters;
            if (L2Entry.compressed(entry)) {
                long offset = L2Entry.compressedOffset(entry, bits);
                first = offset >>> bits;
                clusters = (offset + L2Entry.compressedBytes(entry, bits) - 1 >>> bits) - first + 1;
            } else if (L2Entry.host(entry) != 0) {
                first = L2Entry.host(entry) >>> bits;
                clusters = 1;
            } else {
                continue;
            }
            if (first == runStart + runLength) {
                runLength += clusters;
            } else {
                volume.refcounts.add(runStart, runLength, delta);
                runStart = first;
                runLength = clusters;
            }
        }
        volume.refcounts.add(runStart, runLength, delta);
    }

    /// Makes the COPIED flags of the active tables say what the counters say.
    ///
    /// @param l1 is brought up to date, too; the caller writes it
    void flag(long[] l1) throws IOException {
        for (int i = 0; i < l1.length; i++) {
            long table = tableAt(l1[i]);
            if (table == 0) {
                l1[i] = 0;
                continue;
            }
            boolean own = used(table) == 1;
            l1[i] = own ? table | L2Entry.COPIED : table;
            byte[] entries = BigEndian.read(volume.file, table, geometry.clusterBytes());
            int from = Integer.MAX_VALUE;
            int to = 0;
            for (int at = 0; at < entries.length; at += geometry.l2EntryBytes()) {
                long entry = BigEndian.get(entries, at);
                if (entry == 0 || L2Entry.compressed(entry) || L2Entry.host(entry) == 0) {
                    continue;
                }
                boolean alone = used(L2Entry.host(entry)) == 1;
                if (alone != L2Entry.copied(entry)) {
                    BigEndian.put(entries, at, entry ^ L2Entry.COPIED);
                    from = Math.min(from, at & ~511);
                    to = Math.min(entries.length, (at | 511) + 1);
                }
            }
            if (to > 0) {
                BigEndian.write(volume.file, table + from, java.util.Arrays.copyOfRange(entries, from, to));
            }
        }
    }

    private long used(long offset) throws IOException {
        volume.lock.lock();
        try {
            return volume.refcounts.get(offset >>> geometry.clusterBits());
        } finally {
            volume.lock.unlock();
        }
    }
}
