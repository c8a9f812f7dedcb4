package org.jvirt.images.qcow2;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/// Where metadata lies, so that a broken or hostile image cannot have guest data written over it. Guarded by the
/// volume's lock.
///
/// Single clusters (L2 tables, refcount blocks) are in a hash set of longs; tables of several clusters are ranges.
final class MetadataMap {
    private static final long EMPTY = -1;

    private final int clusterBits;
    private long[] singles = new long[64];
    private int count;
    /// First cluster → the one behind the last.
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    MetadataMap(int clusterBits) {
        this.clusterBits = clusterBits;
        Arrays.fill(singles, EMPTY);
        ranges.put(0L, 1L);
    }

    void clearSingles() {
        Arrays.fill(singles, EMPTY);
        count = 0;
    }

    private static int slot(long cluster, int length) {
        return (int) (cluster * 0x9e37_79b9_7f4a_7c15L >>> 40) & (length - 1);
    }

    void add(long offset) {
        if (2 * ++count > singles.length) {
            long[] old = singles;
            singles = new long[2 * old.length];
            Arrays.fill(singles, EMPTY);
            for (long cluster : old) {
                if (cluster != EMPTY) {
                    insert(cluster);
                }
            }
        }
        if (!insert(offset >>> clusterBits)) {
            count--;
        }
    }

    private boolean insert(long cluster) {
        int at = slot(cluster, singles.length);
        while (singles[at] != EMPTY) {
            if (singles[at] == cluster) {
                return false;
            }
            at = at + 1 & singles.length - 1;
        }
        singles[at] = cluster;
        return true;
    }

    void remove(long offset) {
        long cluster = offset >>> clusterBits;
        int at = slot(cluster, singles.length);
        while (singles[at] != cluster) {
            if (singles[at] == EMPTY) {
                return;
            }
            at = at + 1 & singles.length - 1;
        }
        singles[at] = EMPTY;
        count--;
        // What was pushed on by the removed one must stay reachable.
        for (int next = at + 1 & singles.length - 1; singles[next] != EMPTY; next = next + 1 & singles.length - 1) {
            long moved = singles[next];
            singles[next] = EMPTY;
            insert(moved);
        }
    }

    /// A table of several clusters; replaces one that began at the same place.
    void addRange(long offset, long bytes) {
        if (bytes > 0) {
            ranges.merge(offset >>> clusterBits, (offset + bytes - 1 >>> clusterBits) + 1, Math::max);
        }
    }

    void removeRange(long offset) {
        if (offset != 0) {
            ranges.remove(offset >>> clusterBits);
        }
    }

    /// The offset of a metadata cluster among those that the bytes touch, -1 if there is none.
    long overlap(long offset, long bytes) {
        long first = offset >>> clusterBits;
        long last = offset + bytes - 1 >>> clusterBits;
        Map.Entry<Long, Long> range = ranges.floorEntry(last);
        if (range != null && range.getValue() > first) {
            return Math.max(first, range.getKey()) << clusterBits;
        }
        for (long cluster = first; cluster <= last; cluster++) {
            int at = slot(cluster, singles.length);
            while (singles[at] != EMPTY) {
                if (singles[at] == cluster) {
                    return cluster << clusterBits;
                }
                at = at + 1 & singles.length - 1;
            }
        }
        return -1;
    }
}
