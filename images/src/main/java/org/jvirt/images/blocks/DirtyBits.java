package org.jvirt.images.blocks;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// One bit for each granule of a disk, in pages that take memory only when they are neither all zeroes nor all
/// ones. Not thread-safe.
@SuppressWarnings("ReferenceEquality") // ONES is a mark
public final class DirtyBits {
    private static final int PAGE_BITS = 15;
    public static final int PAGE_BYTES = 1 << PAGE_BITS - 3;
    private static final long[] ONES = new long[PAGE_BYTES / 8];

    static {
        Arrays.fill(ONES, -1);
    }

    private final int granularityBits;
    private final long bits;
    private final Map<Long, long[]> pages = new HashMap<>();

    public DirtyBits(long diskBytes, int granularityBits) {
        this.granularityBits = granularityBits;
        bits = (diskBytes >>> granularityBits) + ((diskBytes & (1L << granularityBits) - 1) == 0 ? 0 : 1);
    }

    /// How many bytes it has when it is stored.
    public long storedBytes() {
        return bits + 7 >>> 3;
    }

    public void mark(long offsetBytes, long lengthBytes) {
        if (lengthBytes > 0) {
            set(
                    offsetBytes >>> granularityBits,
                    Math.min(bits, (offsetBytes + lengthBytes - 1 >>> granularityBits) + 1));
        }
    }

    private void set(long from, long to) {
        for (long bit = from; bit < to; ) {
            long number = bit >>> PAGE_BITS;
            long pageEnd = Math.min(to, number + 1 << PAGE_BITS);
            if (pageEnd - bit == 1L << PAGE_BITS) {
                pages.put(number, ONES);
                bit = pageEnd;
                continue;
            }
            long[] page = pages.computeIfAbsent(number, _ -> new long[ONES.length]);
            if (page == ONES) {
                bit = pageEnd;
                continue;
            }
            while (bit < pageEnd) {
                int inPage = (int) bit & (1 << PAGE_BITS) - 1;
                int count = (int) Math.min(64 - (inPage & 63), pageEnd - bit);
                page[inPage >> 6] |= -1L >>> 64 - count << (inPage & 63);
                bit += count;
            }
        }
    }

    public void clear() {
        pages.clear();
    }

    /// Clears the granules that lie in a range as a whole.
    ///
    /// @param diskBytes where the last granule ends, whole or not
    public void unmark(long offsetBytes, long lengthBytes, long diskBytes) {
        long end = offsetBytes + lengthBytes;
        long from = offsetBytes + (1L << granularityBits) - 1 >>> granularityBits;
        long to = end >= diskBytes ? bits : end >>> granularityBits;
        for (long bit = from; bit < to; ) {
            long number = bit >>> PAGE_BITS;
            long pageEnd = Math.min(to, number + 1 << PAGE_BITS);
            long[] page = pages.get(number);
            if (page == null || pageEnd - bit == 1L << PAGE_BITS) {
                pages.remove(number);
                bit = pageEnd;
                continue;
            }
            if (page == ONES) {
                page = ONES.clone();
                pages.put(number, page);
            }
            while (bit < pageEnd) {
                int inPage = (int) bit & (1 << PAGE_BITS) - 1;
                int count = (int) Math.min(64 - (inPage & 63), pageEnd - bit);
                page[inPage >> 6] &= ~(-1L >>> 64 - count << (inPage & 63));
                bit += count;
            }
        }
    }

    private boolean get(long bit) {
        long[] page = pages.get(bit >>> PAGE_BITS);
        return page != null && (page[(int) (bit & (1 << PAGE_BITS) - 1) >> 6] >>> bit & 1) != 0;
    }

    /// The first bit from `from` on that is as wanted; the number of bits if there is none.
    private long next(long from, boolean wanted) {
        long bit = from;
        while (bit < bits) {
            long[] page = pages.get(bit >>> PAGE_BITS);
            if (page == null || page == ONES) {
                if (wanted == (page != null)) {
                    return bit;
                }
                bit = (bit >>> PAGE_BITS) + 1 << PAGE_BITS;
                continue;
            }
            long word = page[(int) (bit & (1 << PAGE_BITS) - 1) >> 6];
            long candidates = (wanted ? word : ~word) >>> (bit & 63);
            if (candidates != 0) {
                return Math.min(bits, bit + Long.numberOfTrailingZeros(candidates));
            }
            bit = (bit | 63) + 1;
        }
        return bits;
    }

    /// The next run of dirty bytes that ends behind `fromBytes`: offset and length; an empty array at the end.
    public long[] nextDirty(long fromBytes, long diskBytes) {
        long first = next(Math.max(0, fromBytes) >>> granularityBits, true);
        // The last granule may reach behind the end of the disk, where nothing follows.
        if (first >= bits || fromBytes >= diskBytes || first << granularityBits >= diskBytes) {
            return new long[0];
        }
        long behind = next(first, false);
        long start = first << granularityBits;
        return new long[] {start, Math.min(diskBytes, behind << granularityBits) - start};
    }

    public long dirtyGranules() {
        long count = 0;
        for (Map.Entry<Long, long[]> page : pages.entrySet()) {
            if (page.getValue() == ONES) {
                count += Math.min(1L << PAGE_BITS, bits - (page.getKey() << PAGE_BITS));
            } else {
                for (long word : page.getValue()) {
                    count += Long.bitCount(word);
                }
            }
        }
        return count;
    }

    /// Takes over what a stored piece says.
    public void load(long firstByte, byte[] stored) {
        for (int i = 0; i < stored.length; i++) {
            long bit = firstByte + i << 3;
            if (stored[i] != 0 && bit < bits) {
                long[] page = pages.computeIfAbsent(bit >>> PAGE_BITS, _ -> new long[ONES.length]);
                long valid = bits - bit >= 8 ? 0xff : (1L << bits - bit) - 1;
                page[(int) (bit & (1 << PAGE_BITS) - 1) >> 6] |= (stored[i] & valid) << (bit & 63);
            }
        }
    }

    public void loadOnes(long firstByte, long bytes) {
        set(firstByte << 3, Math.min(bits, firstByte + bytes << 3));
    }

    /// A piece as it is stored.
    public byte[] store(long firstByte, int bytes) {
        byte[] stored = new byte[bytes];
        for (long bit = next(firstByte << 3, true);
                bit < Math.min(bits, firstByte + bytes << 3);
                bit = next(bit + 1, true)) {
            stored[(int) ((bit >>> 3) - firstByte)] |= (byte) (1 << (bit & 7));
        }
        return stored;
    }

    /// Whether a piece has any bit set, or all of them.
    public boolean any(long firstByte, long bytes) {
        return next(firstByte << 3, true) < Math.min(bits, firstByte + bytes << 3);
    }

    public boolean all(long firstByte, long bytes) {
        return firstByte + bytes << 3 <= bits && next(firstByte << 3, false) >= firstByte + bytes << 3;
    }

    public boolean isMarked(long offsetBytes) {
        return get(offsetBytes >>> granularityBits);
    }

    /// Memory that is taken.
    public long heldBytes() {
        return pages.values().stream().filter(page -> page != ONES).count() * PAGE_BYTES + pages.size() * 64L;
    }
}
