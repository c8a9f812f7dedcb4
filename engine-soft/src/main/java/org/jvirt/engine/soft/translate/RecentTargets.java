package org.jvirt.engine.soft.translate;

import org.jspecify.annotations.Nullable;

/// What branches have led to lately, for branches whose place in generated code is not linked, or has been lost to
/// another: finding a target here costs less than a way through the interpreter. Whether the address still means
/// that code is the caller's to find out. Owner thread only.
final class RecentTargets {
    private static final int BITS = 15;
    private static final int SIZE = 1 << BITS;

    private final @Nullable TranslatedBlock[] blocks = new @Nullable TranslatedBlock[SIZE];

    private static int place(long rip, int context) {
        return (int) ((rip * 3 + context) * 0x9E37_79B9_7F4A_7C15L >>> 64 - BITS);
    }

    void put(TranslatedBlock block) {
        blocks[place(block.rip, block.context)] = block;
    }

    /// A block has been given up.
    void forget(TranslatedBlock block) {
        int place = place(block.rip, block.context);
        if (blocks[place] == block) {
            blocks[place] = null;
        }
    }

    @Nullable
    TranslatedBlock get(long rip, int context) {
        TranslatedBlock block = blocks[place(rip, context)];
        return block != null && block.rip == rip && block.context == context && block.valid ? block : null;
    }
}
