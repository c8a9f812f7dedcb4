package org.jvirt.engine.soft.translate;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The translations of one page of guest code for one linear address under one set of rights.
///
/// Direct branches link only blocks of one page at one address, so that all links stay among these.
final class PlacedPage {
    private static final int FIRST_ROOM = 4;

    final long page;
    final int context;
    /// Linear address of the page.
    long address;
    /// When one of the blocks was last found by the processor rather than by generated code.
    long used;
    /// Another in the same bucket of [PlacedPages].
    @Nullable
    PlacedPage next;

    private @Nullable TranslatedBlock[] blocks = new @Nullable TranslatedBlock[FIRST_ROOM];
    private int count;

    PlacedPage(long page, int context, long address) {
        this.page = page;
        this.context = context;
        this.address = address;
    }

    int count() {
        return count;
    }

    TranslatedBlock block(int number) {
        TranslatedBlock block = blocks[number];
        if (block == null) {
            throw new IllegalStateException("Of %d translations of a page, none is number %d".formatted(count, number));
        }
        return block;
    }

    void add(TranslatedBlock block) {
        if (count == blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * count);
        }
        block.home = this;
        block.number = (short) count;
        blocks[count++] = block;
    }

    /// The last takes the place of one that goes.
    void remove(TranslatedBlock block) {
        TranslatedBlock last = block(--count);
        blocks[block.number] = last;
        last.number = block.number;
        blocks[count] = null;
        block.home = null;
    }
}
