package org.jvirt.images.qcow2;

/// What an L2 entry says: bits, and how they are read.
///
/// ```
///  63        62          61 … 56   55 … 9              8 … 1   0
///  COPIED    COMPRESSED  0         host cluster        0       ZERO
///  0         1           sectors − 1 │ host offset (bytes)             compressed; split at 62 − (clusterBits − 8)
/// ```
///
/// With extended L2, a second word has an "allocated" bit for each of 32 subclusters and above these a "zero" bit.
/// Without it, a cluster is treated as its only subcluster.
final class L2Entry {
    static final long COPIED = 1L << 63;
    static final long COMPRESSED = 1L << 62;
    static final long ZERO = 1;
    static final long OFFSET_MASK = Qcow2Header.OFFSET_MASK;

    private L2Entry() {}

    static boolean compressed(long entry) {
        return (entry & COMPRESSED) != 0;
    }

    static boolean copied(long entry) {
        return (entry & COPIED) != 0;
    }

    static long host(long entry) {
        return entry & OFFSET_MASK;
    }

    /// Whether there is a host cluster. In an external data file, offset 0 is one.
    static boolean hasHost(long entry, boolean dataFile) {
        return !compressed(entry) && (host(entry) != 0 || dataFile && copied(entry));
    }

    /// The subclusters whose bytes are in the host cluster.
    static long allocated(long entry, long bitmap, boolean extended, boolean dataFile) {
        if (compressed(entry)) {
            return 0;
        }
        if (extended) {
            return bitmap & 0xffff_ffffL;
        }
        return (entry & ZERO) == 0 && hasHost(entry, dataFile) ? 1 : 0;
    }

    /// The subclusters that read as zeroes.
    static long zeroes(long entry, long bitmap, boolean extended) {
        if (compressed(entry)) {
            return 0;
        }
        return extended ? bitmap >>> 32 : entry & ZERO;
    }

    private static int sectorShift(int clusterBits) {
        return 62 - (clusterBits - 8);
    }

    static long compressedOffset(long entry, int clusterBits) {
        return entry & (1L << sectorShift(clusterBits)) - 1;
    }

    /// How many bytes from the offset on may belong to it.
    static int compressedBytes(long entry, int clusterBits) {
        long sectors = (entry & ~(COPIED | COMPRESSED)) >>> sectorShift(clusterBits);
        return (int) ((sectors + 1) * 512 - (compressedOffset(entry, clusterBits) & 511));
    }

    static long compressedEntry(long offset, int bytes, int clusterBits) {
        long more = ((offset & 511) + bytes - 1 >>> 9);
        return COMPRESSED | more << sectorShift(clusterBits) | offset;
    }

    static long maxCompressedOffset(int clusterBits) {
        return Math.min(1L << sectorShift(clusterBits), 1L << 56);
    }
}
