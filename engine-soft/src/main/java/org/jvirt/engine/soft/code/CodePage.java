package org.jvirt.engine.soft.code;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.TranslatedBlock;
import org.jvirt.engine.soft.translate.memory.CodeLines;

/// The blocks of one page of guest memory, and which of its bytes they cover, in units of eight.
///
/// Data beside code makes stores take the slow way, unless generated code knows the page's [CodeLines]. When that
/// has happened often without hitting code, the page's blocks are given up, so that stores are fast again; each
/// time twice as many stores are tolerated.
final class CodePage {
    private static final int UNIT_SHIFT = 3;
    private static final int WORDS = 8;
    private static final int FIRST_PATIENCE = 1 << 10;
    private static final int LAST_PATIENCE = 1 << 24;

    final long number;
    /// What generated code knows of it.
    private final @Nullable CodeLines lines;
    final List<Block> blocks = new ArrayList<>(4);
    private final long[] covered = new long[WORDS];
    /// Some of them may be covered no more.
    private boolean stale;
    private int misses;
    private int patience = FIRST_PATIENCE;

    CodePage(long number, @Nullable CodeLines lines) {
        this.number = number;
        this.lines = lines;
    }

    /// Before its first block comes.
    void begin() {
        stale = false;
        uncover();
    }

    private void uncover() {
        Arrays.fill(covered, 0);
        if (lines != null) {
            lines.clear(number);
        }
    }

    void add(Block block) {
        blocks.add(block);
        cover(block);
    }

    /// Covers what a block of this page depends on, or has come to depend on.
    void cover(Block block) {
        mark(first(block), last(block));
        coverAlso(block);
    }

    /// Covers what a translation of a block of this page depends on beside the block's own bytes.
    void coverAlso(Block block) {
        if (block.alsoLast() >= 0 && block.page() == number) {
            mark(block.alsoFirst(), block.alsoLast());
        }
    }

    /// Whether a block is neither decoded nor translated any more.
    static boolean isUseless(Block block) {
        return block.decoded == null && block.translations == null;
    }

    /// Lets go of translations that have been given up; whether that leaves blocks of no use.
    boolean sweep() {
        boolean useless = false;
        for (Block block : blocks) {
            block.translations = TranslatedBlock.stillValid(block.translations);
            useless |= isUseless(block);
        }
        return useless;
    }

    /// First covered byte of a block on this page.
    private int first(Block block) {
        return block.page() == number ? (int) block.at & 0xFFF : 0;
    }

    /// Last covered byte of a block on this page.
    private int last(Block block) {
        return block.page() == number
                ? ((int) block.at & 0xFFF) + block.firstPart() - 1
                : block.length() - block.firstPart() - 1;
    }

    private void mark(int first, int last) {
        for (int unit = first >> UNIT_SHIFT; unit <= last >> UNIT_SHIFT; unit++) {
            covered[unit >> 6] |= 1L << unit;
        }
        if (lines != null) {
            lines.mark(number, first, last);
        }
    }

    /// Whether any of the bytes, inclusively, may be code.
    boolean covers(int first, int last) {
        if (!isMarked(first, last)) {
            return false;
        }
        if (stale) {
            stale = false;
            uncover();
            for (Block block : blocks) {
                cover(block);
            }
        }
        return isMarked(first, last);
    }

    private boolean isMarked(int first, int last) {
        for (int unit = first >> UNIT_SHIFT; unit <= last >> UNIT_SHIFT; unit++) {
            if ((covered[unit >> 6] >>> unit & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    boolean overlaps(Block block, int first, int last) {
        return first(block) <= last && first <= last(block)
                || block.page() == number && block.alsoFirst() <= last && first <= block.alsoLast();
    }

    /// Blocks have gone: what is covered is found out anew when somebody asks.
    void recover() {
        stale = true;
    }

    /// Notes a store beside the code; whether patience has ended.
    boolean missed() {
        if (++misses < patience) {
            return false;
        }
        misses = 0;
        patience = Math.min(patience * 2, LAST_PATIENCE);
        return true;
    }
}
