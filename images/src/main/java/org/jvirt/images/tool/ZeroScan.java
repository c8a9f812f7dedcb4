package org.jvirt.images.tool;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Looks for zeroes in memory.
final class ZeroScan {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private ZeroScan() {}

    static boolean isZero(MemorySegment segment, long start, long length) {
        long at = start;
        long end = start + length;
        // Content that is no zero mostly shows at once.
        while (at + 32 <= end) {
            if ((segment.get(LONG, at)
                            | segment.get(LONG, at + 8)
                            | segment.get(LONG, at + 16)
                            | segment.get(LONG, at + 24))
                    != 0) {
                return false;
            }
            at += 32;
        }
        while (at < end) {
            if (segment.get(ValueLayout.JAVA_BYTE, at) != 0) {
                return false;
            }
            at++;
        }
        return true;
    }

    /// The length of the run from `start` on whose blocks are all zero, or all not.
    ///
    /// @param blockBytes the unit that is looked at as a whole
    static long run(MemorySegment segment, long start, long end, long blockBytes) {
        long first = Math.min(blockBytes, end - start);
        boolean zero = isZero(segment, start, first);
        long at = start + first;
        while (at < end) {
            long block = Math.min(blockBytes, end - at);
            if (isZero(segment, at, block) != zero) {
                break;
            }
            at += block;
        }
        return at - start;
    }
}
