package org.jvirt.engine.soft.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.vector.VectorUse;

/// Host code for a run of guest instructions at one linear address under one set of rights.
public final class TranslatedBlock {
    final long rip;
    /// Backing page of the guest code.
    final long page;
    final int context;
    /// Offset in the code cache: the entry that checks its own address.
    final int start;
    /// Offset of the entry for branches from behind.
    final int entryBehind;
    /// Offset of the entry for branches from ahead.
    final int entryAhead;
    final VectorUse vectors;
    final Exit[] exits;
    /// Exits of other blocks (or of this one) that are linked to this block.
    final List<Exit> incoming = new ArrayList<>(2);

    /// Offset in the code cache where what is seldom executed begins, and of the end.
    int stubs;

    int end;
    /// The offset in the guest's code of the indirect branch that ends the block, if one does.
    int branchOffset;
    /// By how much that branch raises RSP.
    int branchReleases;

    boolean valid = true;
    /// How many bytes of guest code it stands for, at most.
    int guestBytes;
    /// It is one instruction on two pages.
    boolean crosses;

    /// Another translation of the same guest code: at another address, or under other rights.
    @Nullable
    TranslatedBlock nextOfSameCode;

    /// A direct branch within the page.
    static final class Exit {
        final TranslatedBlock from;
        final long target;
        /// Offset in the code cache of the end of the jump.
        final int jump;
        /// What the jump leads to while it is not linked.
        final int unlinked;

        @Nullable
        TranslatedBlock to;

        Exit(TranslatedBlock from, long target, int jump, int unlinked) {
            this.from = from;
            this.target = target;
            this.jump = jump;
            this.unlinked = unlinked;
        }
    }

    TranslatedBlock(
            long rip,
            long page,
            int context,
            int start,
            int entryBehind,
            int entryAhead,
            VectorUse vectors,
            int exitCount) {
        this.rip = rip;
        this.page = page;
        this.context = context;
        this.start = start;
        this.entryBehind = entryBehind;
        this.entryAhead = entryAhead;
        this.vectors = vectors;
        exits = new Exit[exitCount];
    }
}
