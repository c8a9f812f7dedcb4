package org.jvirt.engine.soft.translate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.engine.soft.translate.memory.StateBlock;

/// The blocks whose accesses have entries of their own, and how often these entries find another page.
///
/// An access that does so all the time is better off with the TLB: then its block is given up, and made without
/// such entries. Owner thread only.
final class LoopingBlocks {
    private static final long PERIOD_NANOS = 5_000_000;
    /// An access in a loop that finds another page more often than this is better off with the TLB.
    private static final long FILL_NANOS = 40;
    /// Below this nobody looks for blocks that have gone.
    private static final int FEW = 64;

    private final StateBlock state;
    private final Sites sites;
    private final Consumer<TranslatedBlock> giveUp;
    private final List<TranslatedBlock> blocks = new ArrayList<>();
    private int sweepAt = FEW;
    private long lookedNanos = System.nanoTime();

    /// @param giveUp invalidates a block
    LoopingBlocks(StateBlock state, Sites sites, Consumer<TranslatedBlock> giveUp) {
        this.state = state;
        this.sites = sites;
        this.giveUp = giveUp;
    }

    /// Takes a new block, if it is one of these.
    void add(TranslatedBlock block) {
        if (block.sites.length != 0) {
            if (blocks.size() >= sweepAt) {
                blocks.removeIf(each -> !each.valid);
                sweepAt = Math.max(2 * blocks.size(), FEW);
            }
            blocks.add(block);
        }
    }

    /// Takes the entries of their own from accesses that have found another page too often since the last look.
    void look() {
        long now = System.nanoTime();
        long passed = now - lookedNanos;
        if (passed < PERIOD_NANOS) {
            return;
        }
        lookedNanos = now;
        // as a rule all entries together are not filled so often
        if (areWorn(takeFills(false), passed)) {
            for (TranslatedBlock block : blocks) {
                if (block.valid && areWorn(fills(block), passed)) {
                    sites.wearOut(block.rip, block.context);
                    giveUp.accept(block);
                }
            }
        }
        takeFills(true);
    }

    private static boolean areWorn(long fills, long passed) {
        return fills * FILL_NANOS > passed;
    }

    private long fills(TranslatedBlock block) {
        long fills = 0;
        for (int site : block.sites) {
            fills += state.getLong(site + StateLayout.SITE_FILLS);
        }
        return fills;
    }

    /// How often all entries have been filled since they were cleared; clears them if `clear`.
    private long takeFills(boolean clear) {
        long fills = 0;
        for (int kind = 0; kind < 2 * StateLayout.CONTEXTS; kind++) {
            for (int number = 0; number < sites.used(kind); number++) {
                int place = StateLayout.site(kind, number) + StateLayout.SITE_FILLS;
                fills += state.getLong(place);
                if (clear) {
                    state.setLong(place, 0);
                }
            }
        }
        return fills;
    }
}
