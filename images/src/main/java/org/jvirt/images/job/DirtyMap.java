package org.jvirt.images.job;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.images.blocks.DirtyBits;

/// Which parts of a disk are still to be copied, or have changed. Thread-safe.
final class DirtyMap {
    private final DirtyBits bits; // guarded by this
    private final long diskBytes;
    private final long granuleBytes;

    /// @param granuleBytes what one bit stands for, a power of two
    DirtyMap(long diskBytes, long granuleBytes) {
        this.diskBytes = diskBytes;
        this.granuleBytes = granuleBytes;
        bits = new DirtyBits(diskBytes, Long.numberOfTrailingZeros(granuleBytes));
    }

    long granuleBytes() {
        return granuleBytes;
    }

    synchronized void mark(long offsetBytes, long lengthBytes) {
        bits.mark(offsetBytes, lengthBytes);
    }

    synchronized void unmark(long offsetBytes, long lengthBytes) {
        bits.unmark(offsetBytes, lengthBytes, diskBytes);
    }

    synchronized void clear() {
        bits.clear();
    }

    /// The next dirty run from `fromBytes` on, in whole granules, at most `limitBytes` long.
    ///
    /// @return offset and length, empty if nothing follows
    synchronized long[] next(long fromBytes, long limitBytes) {
        long[] run = bits.nextDirty(fromBytes, diskBytes);
        if (run.length > 0) {
            run[1] = Math.min(run[1], limitBytes);
        }
        return run;
    }

    /// As [#next] within a range, whose start and end lie on granules or the disk's end.
    synchronized long[] nextWithin(long fromBytes, long endBytes) {
        long[] run = bits.nextDirty(fromBytes, diskBytes);
        if (run.length == 0 || run[0] >= endBytes) {
            return new long[0];
        }
        run[1] = Math.min(run[1], endBytes - run[0]);
        return run;
    }

    synchronized long dirtyBytes() {
        return Math.min(diskBytes, bits.dirtyGranules() * granuleBytes);
    }

    synchronized List<long[]> runs() {
        List<long[]> runs = new ArrayList<>();
        for (long[] run = bits.nextDirty(0, diskBytes);
                run.length > 0;
                run = bits.nextDirty(run[0] + run[1], diskBytes)) {
            runs.add(run);
        }
        return runs;
    }

    /// The start of the granule in which a byte lies.
    long floor(long offsetBytes) {
        return offsetBytes & -granuleBytes;
    }

    /// The end of the granule in which the byte before lies, or of the disk.
    long ceiling(long offsetBytes) {
        return Math.min(diskBytes, offsetBytes + granuleBytes - 1 & -granuleBytes);
    }
}
