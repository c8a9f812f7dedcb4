package org.jvirt.images.tool;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Looks for zeroes in memory.
final class ZeroScan {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final MemorySegment ZEROES =
            Arena.global().allocate(64 << 10, 64).asReadOnly();

    private ZeroScan() {}

    static boolean isZero(MemorySegment segment, long start, long length) {
        // Content that is no zero mostly shows at once; what is left is compared as a whole, which the processor does
        // with its widest registers.
        if (length >= Long.BYTES && segment.get(LONG, start) != 0) {
            return false;
        }
        long end = start + length;
        for (long at = start; at < end; at += ZEROES.byteSize()) {
            long behind = Math.min(end, at + ZEROES.byteSize());
            if (MemorySegment.mismatch(segment, at, behind, ZEROES, 0, behind - at) >= 0) {
                return false;
            }
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
