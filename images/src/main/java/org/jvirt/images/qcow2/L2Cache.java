package org.jvirt.images.qcow2;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Slices of L2 tables that were used lately: a hash table with the clock algorithm. Guarded by the volume's lock.
///
/// A slice has 4 KiB, or a whole table where that is smaller. Slices that the file does not have yet cannot leave;
/// [#crowded] says when a commit should make them clean. Until then the cache may exceed its bound by what the
/// requests under way change.
final class L2Cache {
    static final int SLICE_BYTES = 4096;
    static final long DEFAULT_BYTES = 32 << 20;

    private final int sliceBytes;
    private final int maxSlices;
    private final @Nullable L2Slice[] buckets;
    private final List<L2Slice> slices = new ArrayList<>();
    private int hand;
    private int dirty;
    /// Grows with every slice that leaves: what was read from the file before may be out of date.
    private long departures;

    L2Cache(int clusterBytes, long maxBytes) {
        sliceBytes = Math.min(SLICE_BYTES, clusterBytes);
        maxSlices = (int) Math.clamp(maxBytes / sliceBytes, 16, 1 << 22);
        buckets = new L2Slice[Math.max(64, Integer.highestOneBit(maxSlices) * 2)];
    }

    int sliceBytes() {
        return sliceBytes;
    }

    long departures() {
        return departures;
    }

    private int bucket(long offset) {
        return (int) (offset / sliceBytes * 0x9e37_79b9_7f4a_7c15L >>> 36) & buckets.length - 1;
    }

    @Nullable
    L2Slice find(long offset) {
        for (L2Slice slice = buckets[bucket(offset)]; slice != null; slice = slice.nextInBucket) {
            if (slice.offset == offset) {
                slice.used = true;
                return slice;
            }
        }
        return null;
    }

    /// Puts in a slice that is not there.
    L2Slice insert(L2Slice slice) {
        if (slices.size() >= maxSlices) {
            evictOne();
        }
        slice.used = true;
        slices.add(slice);
        link(slice);
        return slice;
    }

    private void link(L2Slice slice) {
        int at = bucket(slice.offset);
        slice.nextInBucket = buckets[at];
        buckets[at] = slice;
    }

    private void evictOne() {
        for (int looked = 0; looked < 2 * slices.size(); looked++) {
            hand = hand >= slices.size() ? 0 : hand;
            L2Slice slice = slices.get(hand);
            if (slice.used || slice.dirty() || slice.writing) {
                slice.used = false;
                hand++;
                continue;
            }
            unlink(slice);
            L2Slice last = slices.removeLast();
            if (hand < slices.size()) {
                slices.set(hand, last);
            }
            return;
        }
    }

    private void unlink(L2Slice slice) {
        departures++;
        int at = bucket(slice.offset);
        L2Slice before = null;
        for (L2Slice each = buckets[at]; each != null; each = each.nextInBucket) {
            if (each == slice) {
                if (before == null) {
                    buckets[at] = each.nextInBucket;
                } else {
                    before.nextInBucket = each.nextInBucket;
                }
                each.nextInBucket = null;
                return;
            }
            before = each;
        }
    }

    /// To be called before a slice is changed.
    void willChange(L2Slice slice) {
        if (!slice.dirty()) {
            dirty++;
        }
    }

    boolean hasDirty() {
        return dirty > 0;
    }

    boolean crowded() {
        return dirty > maxSlices / 4;
    }

    /// Copies of all that the file does not have yet.
    List<Patch> take(List<L2Slice> taken) {
        List<Patch> patches = new ArrayList<>();
        if (dirty > 0) {
            for (L2Slice slice : slices) {
                if (slice.dirty()) {
                    patches.add(slice.takeDirty());
                    slice.writing = true;
                    taken.add(slice);
                }
            }
            dirty = 0;
        }
        return patches;
    }

    void written(List<L2Slice> taken, boolean failed) {
        for (L2Slice slice : taken) {
            slice.writing = false;
            if (failed) {
                willChange(slice);
                slice.markAllDirty();
            }
        }
    }

    /// Forgets the slices of a table that is made anew, or of all tables.
    void drop(long offset, long bytes) {
        for (int i = slices.size() - 1; i >= 0; i--) {
            L2Slice slice = slices.get(i);
            if (slice.offset >= offset && slice.offset - offset < bytes) {
                dirty -= slice.dirty() ? 1 : 0;
                unlink(slice);
                L2Slice last = slices.removeLast();
                if (i < slices.size()) {
                    slices.set(i, last);
                }
            }
        }
    }

    void dropTable(long offset, int clusterBytes) {
        for (long at = offset; at < offset + clusterBytes; at += sliceBytes) {
            L2Slice slice = find(at);
            if (slice != null) {
                drop(at, sliceBytes);
            }
        }
        departures++;
    }
}
