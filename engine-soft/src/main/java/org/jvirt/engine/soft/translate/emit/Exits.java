package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.CodeWriter;

/// The jumps of a block that can be linked to other blocks of its page. Not thread-safe.
public final class Exits {
    /// Those of the last branch, ways out of a loop, and failed checks.
    static final int MAX = 8 + AccessPlan.MAX_CHECKS;

    private final long[] target = new long[MAX];
    private final int[] jump = new int[MAX];
    private final int[] unlinked = new int[MAX];
    private final boolean[] apart = new boolean[MAX];
    private int count;

    void clear() {
        count = 0;
    }

    /// Notes the jump that ends at `end`.
    ///
    /// @param toApart it is meant for a block that checks each access by itself
    void add(int end, long to, boolean toApart) {
        target[count] = to;
        apart[count] = toApart;
        jump[count++] = end;
    }

    public int count() {
        return count;
    }

    /// Where an exit leads.
    public long target(int i) {
        return target[i];
    }

    /// Whether that is to a block that checks each access by itself.
    public boolean isApart(int i) {
        return apart[i];
    }

    /// The end of the jump to be linked, counted from the block's start.
    public int jump(int i) {
        return jump[i];
    }

    /// Where the jump leads while it is not linked, counted from the block's start.
    public int unlinked(int i) {
        return unlinked[i];
    }

    /// Writes the stubs of exits that are not linked.
    void finish(CodeWriter w, Stubs stubs) {
        for (int i = 0; i < count; i++) {
            unlinked[i] = w.size();
            w.here(jump[i]);
            w.callFar(stubs.direct);
            w.byte1(i);
        }
    }
}
