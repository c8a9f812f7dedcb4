package org.jvirt.images.qcow2;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A part of an L2 table in memory, as it is in the file. Guarded by the volume's lock.
final class L2Slice {
    long offset;
    final byte[] entries;
    private int dirtyFrom = Integer.MAX_VALUE;
    private int dirtyTo;
    /// A commit has taken a copy and not written it yet.
    boolean writing;
    /// Used since the cache's clock hand passed.
    boolean used;

    @Nullable
    L2Slice nextInBucket;

    L2Slice(long offset, byte[] entries) {
        this.offset = offset;
        this.entries = entries;
    }

    long get(int at) {
        return BigEndian.get(entries, at);
    }

    void set(int at, long value) {
        BigEndian.put(entries, at, value);
        dirtyFrom = Math.min(dirtyFrom, at & ~511);
        dirtyTo = Math.max(dirtyTo, Math.min(entries.length, (at | 511) + 1));
    }

    boolean dirty() {
        return dirtyTo > 0;
    }

    void markAllDirty() {
        dirtyFrom = 0;
        dirtyTo = entries.length;
    }

    Patch takeDirty() {
        var patch = new Patch(offset + dirtyFrom, Arrays.copyOfRange(entries, dirtyFrom, dirtyTo));
        dirtyFrom = Integer.MAX_VALUE;
        dirtyTo = 0;
        return patch;
    }
}
