package org.jvirt.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/// One bit for each page of guest memory, outside of the heap, where generated code can look at it. Thread-safe.
final class PageBitmap {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final VarHandle WORDS = LONG.varHandle();

    private final MemorySegment words;

    PageBitmap(long pages) {
        words = Arena.ofAuto().allocate(Math.max(1, (pages + 63) / 64) * LONG.byteSize(), LONG.byteAlignment());
    }

    /// Where the bit of page 0 is; it is valid as long as this object is reachable.
    long address() {
        return words.address();
    }

    private static long at(long page) {
        return (page >>> 6) * LONG.byteSize();
    }

    boolean get(long page) {
        // Acquire: whoever sees the bit also sees what was done before it was set.
        return ((long) WORDS.getAcquire(words, at(page)) >>> page & 1) != 0;
    }

    void set(long page) {
        long bit = 1L << page;
        if (((long) WORDS.getOpaque(words, at(page)) & bit) == 0) {
            var _ = (long) WORDS.getAndBitwiseOr(words, at(page), bit);
        }
    }

    void clear(long page) {
        var _ = (long) WORDS.getAndBitwiseAnd(words, at(page), ~(1L << page));
    }

    boolean getAndClear(long page) {
        long bit = 1L << page;
        return ((long) WORDS.getOpaque(words, at(page)) & bit) != 0
                && ((long) WORDS.getAndBitwiseAnd(words, at(page), ~bit) & bit) != 0;
    }
}
