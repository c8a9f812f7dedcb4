package org.jvirt.images.qcow2;

import java.util.Objects;
import java.util.TreeMap;

/// How often each cluster is referred to, as a check finds it: pages of counters, only where something is.
/// Not thread-safe.
final class ReferenceCounts {
    private static final int PAGE_BITS = 12;
    /// Counters stop here.
    static final int MOST = Integer.MAX_VALUE;

    private final TreeMap<Long, int[]> pages = new TreeMap<>();
    private long lastNumber = -1;
    private int[] last = {};

    private int[] page(long number) {
        if (number != lastNumber) {
            last = pages.computeIfAbsent(number, _ -> new int[1 << PAGE_BITS]);
            lastNumber = number;
        }
        return last;
    }

    void add(long cluster, long times) {
        int[] page = page(cluster >>> PAGE_BITS);
        int at = (int) cluster & (1 << PAGE_BITS) - 1;
        page[at] = (int) Math.min(MOST, page[at] + times);
    }

    int get(long cluster) {
        if (cluster >>> PAGE_BITS == lastNumber) {
            return last[(int) cluster & (1 << PAGE_BITS) - 1];
        }
        int[] page = pages.get(cluster >>> PAGE_BITS);
        return page == null ? 0 : page[(int) cluster & (1 << PAGE_BITS) - 1];
    }

    /// The first cluster from `from` on that may be referred to; -1 if there is none.
    long next(long from) {
        Long number = pages.ceilingKey(from >>> PAGE_BITS);
        while (number != null) {
            int[] page = Objects.requireNonNull(pages.get(number));
            int start = number == from >>> PAGE_BITS ? (int) from & (1 << PAGE_BITS) - 1 : 0;
            for (int i = start; i < page.length; i++) {
                if (page[i] != 0) {
                    return (number << PAGE_BITS) + i;
                }
            }
            number = pages.higherKey(number);
        }
        return -1;
    }
}
