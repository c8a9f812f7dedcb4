package org.jvirt.engine.soft.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.store.CodeStore;
import org.jvirt.engine.soft.translate.store.StoredBlock;
import org.jvirt.engine.soft.translate.vector.VectorUse;

/// Host code for a run of guest instructions at one linear address under one set of rights.
public final class TranslatedBlock {
    /// Changes when the page that it is of moves, see [PlacedPages].
    long rip;
    /// Backing page of the guest code.
    final long page;
    final int context;
    /// Offset in the code cache: the entry that checks its own address.
    final int start;
    /// Offset of the entry for branches from behind.
    final int entryBehind;
    /// Offset of the entry for branches from ahead.
    final int entryAhead;
    /// Offset of the entry for its own branch to its beginning.
    int entryAgain;
    /// Offset of the entry for the processor, which goes on although a request waits.
    int entryFirst;

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
    /// The bytes of its guest code are the same at every address.
    private boolean anywhere;
    /// Where the store has it, or else itself: what it can be copied from, and what tells how it moves. Of a new one
    /// it is told by another thread, if at all.
    private volatile int storedAt;

    private volatile @Nullable StoredBlock stored;

    /// The translations of its page at its address, and its number among them.
    @Nullable
    PlacedPage home;

    int number;
    /// What changes in its code with [#rip], once that has been asked.
    int @Nullable [] addresses;
    /// Branches through tables lead to it, or have done so.
    boolean isTarget;

    /// How many bytes of guest code it stands for, at most.
    int guestBytes;
    /// How many instructions it executes when it is not left before its end.
    int instructions;
    /// It is one instruction on two pages.
    boolean crosses;

    private int executions;
    /// Each access is checked by itself: it is for where a shared check has failed.
    boolean apart;
    /// Places in the state block of the entries that accesses have for themselves.
    int[] sites = {};

    /// Another translation of the same guest code: at another address, or under other rights.
    @Nullable
    TranslatedBlock nextOfSameCode;

    /// A direct branch within the page.
    static final class Exit {
        final TranslatedBlock from;
        /// From the block's first instruction to the target.
        final long distance;
        /// Offset in the code cache of the end of the jump.
        final int jump;
        /// What the jump leads to while it is not linked.
        final int unlinked;
        /// It is meant for a block that checks each access by itself.
        final boolean apart;

        @Nullable
        TranslatedBlock to;

        Exit(TranslatedBlock from, long distance, int jump, int unlinked, boolean apart) {
            this.from = from;
            this.distance = distance;
            this.jump = jump;
            this.unlinked = unlinked;
            this.apart = apart;
        }

        long target() {
            return from.rip + distance;
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
        entryAgain = entryBehind;
        entryFirst = entryAhead;
        this.vectors = vectors;
        exits = new Exit[exitCount];
    }

    /// Whether an address is in the guest's code that it stands for.
    public boolean covers(long address) {
        return address >= rip && address < rip + guestBytes;
    }

    /// Notes where it can be had again: from the store if that has a position for it.
    void keep(StoredBlock block, int position) {
        anywhere = block.fields().length == 0;
        if (position == 0) {
            stored = block;
        } else {
            storedAt = position;
        }
    }

    /// Whether [#kept] may have it, for other addresses too.
    boolean isStored() {
        return (storedAt != 0 || stored != null) && anywhere;
    }

    /// It as it is apart from its place, if that can be had.
    CodeStore.@Nullable Kept kept(@Nullable CodeStore from) {
        StoredBlock known = stored;
        if (known != null) {
            return new CodeStore.Kept(known, 0);
        }
        int position = storedAt;
        return from == null
                ? null
                : from.read(position)
                        .map(block -> new CodeStore.Kept(block, position))
                        .orElse(null);
    }

    /// Whether it or one of its siblings is still of use.
    public boolean hasValid() {
        for (TranslatedBlock each = this; each != null; each = each.nextOfSameCode) {
            if (each.valid) {
                return true;
            }
        }
        return false;
    }

    /// Counts one more execution if there have been fewer than `most`; whether it did.
    public boolean isOneOfFirst(int most) {
        if (executions >= most) {
            return false;
        }
        executions++;
        return true;
    }

    private static final int APART = 1 << 16;
    private static final int FIXED_WORDS = 11;
    private static final int EXIT_WORDS = 5;

    /// Under what it is kept beside its code: its rights, and whether each access is checked by itself.
    int kind() {
        return kind(context, apart);
    }

    static int kind(int context, boolean apart) {
        return apart ? context | APART : context;
    }

    /// What [#of] makes the block of again, beside its code; places count from the block's start.
    int[] layout() {
        int[] words = new int[FIXED_WORDS + EXIT_WORDS * exits.length];
        words[0] = entryBehind - start;
        words[1] = entryAhead - start;
        words[2] = stubs - start;
        words[3] = end - start;
        words[4] = vectors.ordinal();
        words[5] = branchOffset;
        words[6] = branchReleases;
        words[7] = guestBytes;
        words[8] = instructions;
        words[9] = exits.length;
        words[10] = entryFirst - start;
        int at = FIXED_WORDS;
        for (Exit exit : exits) {
            words[at++] = (int) exit.distance;
            words[at++] = (int) (exit.distance >> 32);
            words[at++] = exit.jump - start;
            words[at++] = exit.unlinked - start;
            words[at++] = exit.apart ? 1 : 0;
        }
        return words;
    }

    /// A block at another place and address.
    ///
    /// @param words from [#layout]
    static TranslatedBlock of(int[] words, long rip, long page, int context, int start, boolean crosses) {
        var block = new TranslatedBlock(
                rip, page, context, start, start + words[0], start + words[1], VectorUse.values()[words[4]], words[9]);
        block.stubs = start + words[2];
        block.end = start + words[3];
        block.branchOffset = words[5];
        block.branchReleases = words[6];
        block.guestBytes = words[7];
        block.instructions = words[8];
        block.entryFirst = start + words[10];
        block.crosses = crosses;
        int at = FIXED_WORDS;
        for (int i = 0; i < block.exits.length; i++) {
            long distance = words[at] & 0xFFFF_FFFFL | (long) words[at + 1] << 32;
            block.exits[i] = new Exit(block, distance, start + words[at + 2], start + words[at + 3], words[at + 4] != 0);
            at += EXIT_WORDS;
        }
        return block;
    }
}
