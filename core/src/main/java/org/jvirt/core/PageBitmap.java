package org.jvirt.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// One bit for each page of guest memory. Thread-safe.
final class PageBitmap {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words;

    PageBitmap(long pages) {
        words = new long[Math.toIntExact((pages + 63) / 64)];
    }

    boolean get(long page) {
        // Acquire: whoever sees the bit also sees what was done before it was set.
        return ((long) WORDS.getAcquire(words, (int) (page >>> 6)) >>> page & 1) != 0;
    }

    void set(long page) {
        long bit = 1L << page;
        int word = (int) (page >>> 6);
        if (((long) WORDS.getOpaque(words, word) & bit) == 0) {
            WORDS.getAndBitwiseOr(words, word, bit);
        }
    }

    void clear(long page) {
        WORDS.getAndBitwiseAnd(words, (int) (page >>> 6), ~(1L << page));
    }

    boolean getAndClear(long page) {
        long bit = 1L << page;
        int word = (int) (page >>> 6);
        return ((long) WORDS.getOpaque(words, word) & bit) != 0
                && ((long) WORDS.getAndBitwiseAnd(words, word, ~bit) & bit) != 0;
    }
}
