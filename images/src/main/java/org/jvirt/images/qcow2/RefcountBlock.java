package org.jvirt.images.qcow2;

/// One cluster of reference counters of 1 to 64 bits, big-endian; narrower ones than a byte start at its low bits.
/// Guarded by the volume's lock.
final class RefcountBlock {
    final int index;
    final long offset;
    private final byte[] counters;
    private final int order;
    /// The bytes that the file does not have yet; none if `dirtyTo` is 0.
    private int dirtyFrom = Integer.MAX_VALUE;

    private int dirtyTo;
    /// No durable table entry points to it.
    boolean fresh;
    /// A commit has taken a copy and not written it yet.
    boolean writing;

    RefcountBlock(int index, long offset, byte[] counters, int order) {
        this.index = index;
        this.offset = offset;
        this.counters = counters;
        this.order = order;
    }

    static long get(byte[] counters, int order, int i) {
        return switch (order) {
            case 0 -> counters[i >> 3] >> (i & 7) & 1;
            case 1 -> counters[i >> 2] >> 2 * (i & 3) & 3;
            case 2 -> counters[i >> 1] >> 4 * (i & 1) & 15;
            case 3 -> counters[i] & 0xff;
            case 4 -> (counters[2 * i] & 0xff) << 8 | counters[2 * i + 1] & 0xff;
            case 5 -> BigEndian.get(counters, 4 * (i & ~1)) >>> (32 * (~i & 1)) & 0xffff_ffffL;
            default -> BigEndian.get(counters, 8 * i);
        };
    }

    static void set(byte[] counters, int order, int i, long count) {
        switch (order) {
            case 0 -> setBits(counters, i >> 3, i & 7, 1, count);
            case 1 -> setBits(counters, i >> 2, 2 * (i & 3), 3, count);
            case 2 -> setBits(counters, i >> 1, 4 * (i & 1), 15, count);
            case 3 -> counters[i] = (byte) count;
            case 4 -> {
                counters[2 * i] = (byte) (count >>> 8);
                counters[2 * i + 1] = (byte) count;
            }
            case 5 -> {
                int shift = 32 * (~i & 1);
                long pair = BigEndian.get(counters, 4 * (i & ~1));
                BigEndian.put(counters, 4 * (i & ~1), pair & ~(0xffff_ffffL << shift) | count << shift);
            }
            default -> BigEndian.put(counters, 8 * i, count);
        }
    }

    private static void setBits(byte[] counters, int at, int shift, int mask, long count) {
        counters[at] = (byte) (counters[at] & ~(mask << shift) | (int) count << shift);
    }

    long get(int i) {
        return get(counters, order, i);
    }

    void set(int i, long count) {
        set(counters, order, i, count);
        int bit = i << order;
        dirtyFrom = Math.min(dirtyFrom, (bit >> 3) & ~511);
        dirtyTo = Math.max(dirtyTo, Math.min(counters.length, ((bit >> 3) | 511) + 1));
    }

    int size() {
        return (int) ((long) counters.length << 3 >> order);
    }

    /// The first counter from `from` on that is 0; [#size] if there is none.
    int nextFree(int from) {
        int size = size();
        for (int i = from; i < size; i++) {
            // Eight bytes of counters that are all in use are common, and quickly told for whole bytes.
            if (order == 4 && (i & 3) == 0 && i + 4 <= size) {
                long four = BigEndian.get(counters, 2 * i);
                if (((four - 0x0001_0001_0001_0001L) & ~four & 0x8000_8000_8000_8000L) == 0) {
                    i += 3;
                    continue;
                }
            }
            if (get(i) == 0) {
                return i;
            }
        }
        return size;
    }

    boolean dirty() {
        return dirtyTo > 0;
    }

    void markAllDirty() {
        dirtyFrom = 0;
        dirtyTo = counters.length;
    }

    /// A copy of what the file does not have yet, which counts as written from now on.
    Patch takeDirty() {
        var patch = new Patch(offset + dirtyFrom, java.util.Arrays.copyOfRange(counters, dirtyFrom, dirtyTo));
        dirtyFrom = Integer.MAX_VALUE;
        dirtyTo = 0;
        return patch;
    }
}
