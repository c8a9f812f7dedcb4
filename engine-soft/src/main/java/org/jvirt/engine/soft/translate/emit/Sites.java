package org.jvirt.engine.soft.translate.emit;

import java.util.BitSet;

/// Gives the accesses in loops entries of their own: the page that each has found last.
///
/// An access whose page changes all the time is better off without: [#wearOut] remembers it.
public final class Sites {
    private static final int BITS = 1 << 16;

    private final int[] next = new int[2 * StateLayout.CONTEXTS];
    private final int[] used = new int[2 * StateLayout.CONTEXTS];
    private final BitSet worn = new BitSet(BITS);
    private int[] given = {};
    private int repeated;

    private static int bit(long rip, int context) {
        long hash = (rip * 3 + context) * 0x9E37_79B9_7F4A_7C15L;
        return (int) (hash >>> 48);
    }

    /// Whether the accesses of the block at an address are to have entries.
    public boolean isWorthWhile(long rip, int context) {
        return !worn.get(bit(rip, context));
    }

    /// The block at an address gets no more entries.
    public void wearOut(long rip, int context) {
        worn.set(bit(rip, context));
    }

    /// Forgets what is worn out.
    public void clear() {
        worn.clear();
    }

    /// Gives the entries of another translation of the same code again, in their order.
    public void repeat(int[] places) {
        given = places;
        repeated = 0;
    }

    /// How many entries of a kind have been given: see [StateLayout#site].
    public int used(int kind) {
        return used[kind];
    }

    /// The next entry for reads or writes under a set of rights, as a place in the state block. When there are no
    /// more, two accesses share one.
    int next(int context, boolean write) {
        if (repeated < given.length) {
            return given[repeated++];
        }
        int kind = 2 * context + (write ? 1 : 0);
        int number = next[kind];
        next[kind] = (number + 1) % StateLayout.SITES_OF_A_KIND;
        used[kind] = Math.max(used[kind], number + 1);
        return StateLayout.site(kind, number);
    }
}
