package org.jvirt.engine.soft.translate;

import org.jspecify.annotations.Nullable;

/// What branches have led to lately, for branches whose place in generated code is not linked, or has been lost to
/// another: finding a target here costs less than a way through the interpreter. Owner thread only.
final class RecentTargets {
    private static final int SIZE = 1 << 16;

    private final @Nullable TranslatedBlock[] blocks = new @Nullable TranslatedBlock[SIZE];
    private final long[] generations = new long[SIZE];

    private static int place(long rip) {
        return (int) (rip ^ rip >>> 16) & SIZE - 1;
    }

    /// @param generation as long as it lasts, addresses mean the same code
    void put(TranslatedBlock block, long generation) {
        int i = place(block.rip);
        blocks[i] = block;
        generations[i] = generation;
    }

    @Nullable
    TranslatedBlock get(long rip, int context, long generation) {
        int i = place(rip);
        TranslatedBlock block = blocks[i];
        return block != null
                        && generations[i] == generation
                        && block.rip == rip
                        && block.context == context
                        && block.valid
                ? block
                : null;
    }
}
