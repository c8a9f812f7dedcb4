package org.jvirt.engine.soft.translate;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.store.CodeStore;
import org.jvirt.engine.soft.translate.store.StoreReader;
import org.jvirt.engine.soft.translate.store.StoredBlock;

/// Host code for a run of guest instructions at one linear address under one set of rights.
public final class TranslatedBlock {
    private static final int[] NONE = {};
    private static final int APART = 1 << 16;
    private static final int FIXED_WORDS = 9;
    private static final int EXIT_WORDS = 2;

    /// Changes when the page that it is of moves, see [PlacedPages].
    long rip;
    /// Backing page of the guest code.
    final long page;
    final short context;
    /// Offset in the code cache: the entry that checks its own address.
    final int start;
    private final char entryBehind;
    private final char entryAhead;
    private char entryAgain;
    private char entryFirst;
    private char stubs;
    private char end;
    /// The offset in the guest's code of the indirect branch that ends the block, if one does.
    short branchOffset;
    /// By how much that branch raises RSP.
    int branchReleases;

    /// Exits as [#addExit] packs them.
    private final int[] exits;
    /// Those of them that are linked.
    private @Nullable Exit outgoing;
    /// Exits of other blocks (or of this one) that are linked to this block.
    private @Nullable Exit incoming;

    boolean valid = true;
    /// The bytes of its guest code are the same at every address.
    private boolean anywhere;
    /// Where the store has it, or else itself: what it can be copied from, and what tells how it moves. Of a new
    /// one it is told by another thread, if at all.
    private volatile int storedAt;

    private volatile @Nullable StoredBlock stored;

    /// The translations of its page at its address, and its number among them.
    @Nullable
    PlacedPage home;

    short number;
    /// What changes in its code with [#rip], once that has been asked.
    int @Nullable [] addresses;
    /// Branches through tables lead to it, or have done so.
    boolean isTarget;

    /// How many bytes of guest code it stands for, at most.
    short guestBytes;
    /// How many instructions it executes when it is not left before its end.
    short instructions;
    /// It is one instruction on two pages.
    boolean crosses;

    private short executions;
    /// Each access is checked by itself: it is for where a shared check has failed.
    boolean apart;
    /// Places in the state block of the entries that accesses have for themselves.
    int[] sites = NONE;

    /// Another translation of the same guest code: at another address, or under other rights.
    @Nullable
    TranslatedBlock nextOfSameCode;

    /// A direct branch within the page: one that is linked to another block, or is to be.
    static final class Exit {
        final TranslatedBlock from;
        private final int number;

        private @Nullable TranslatedBlock to;
        /// The next one that is linked from the same block, and to the same.
        private @Nullable Exit nextOutgoing;

        private @Nullable Exit nextIncoming;

        private Exit(TranslatedBlock from, int number) {
            this.from = from;
            this.number = number;
        }

        private int word(int which) {
            return from.exits[number * EXIT_WORDS + which];
        }

        /// Whether it is linked, perhaps as another object.
        boolean isLinked() {
            return from.isLinked(number);
        }

        /// The guest's address.
        long target() {
            return from.exitTarget(number);
        }

        /// Whether it is meant for a block that checks each access by itself.
        boolean isApart() {
            return from.exitIsApart(number);
        }

        /// Offset in the code cache of the end of the jump.
        int jump() {
            return from.start + (word(1) >>> Character.SIZE);
        }

        /// What the jump leads to while it is not linked.
        int unlinked() {
            return from.start + (char) word(1);
        }

        /// Notes that it leads to a block.
        void to(TranslatedBlock block) {
            to = block;
            nextOutgoing = from.outgoing;
            from.outgoing = this;
            nextIncoming = block.incoming;
            block.incoming = this;
        }
    }

    /// @param start       offset in the code cache
    /// @param entryBehind offset in the block of the entry for branches from behind
    /// @param entryAhead  the same for branches from ahead
    TranslatedBlock(long rip, long page, int context, int start, int entryBehind, int entryAhead, int exitCount) {
        this.rip = rip;
        this.page = page;
        this.context = (short) context;
        this.start = start;
        this.entryBehind = place(entryBehind);
        this.entryAhead = place(entryAhead);
        entryAgain = this.entryBehind;
        entryFirst = this.entryAhead;
        exits = exitCount == 0 ? NONE : new int[exitCount * EXIT_WORDS];
    }

    private static char place(int offset) {
        if (offset != (char) offset) {
            throw new IllegalStateException("Offset %d in a block of host code".formatted(offset));
        }
        return (char) offset;
    }

    /// Says where the other entries are: for the block's own branch to its beginning, and for the processor, which
    /// goes on although a request waits.
    void entries(int again, int first) {
        entryAgain = place(again);
        entryFirst = place(first);
    }

    /// Says where what is seldom executed begins, and the end.
    void ends(int stubsBegin, int codeEnd) {
        stubs = place(stubsBegin);
        end = place(codeEnd);
    }

    /// Says what the exit of a number is: places are offsets in the block.
    ///
    /// @param distance from the block's first instruction to the target, on the same page
    void addExit(int number, long distance, int jump, int unlinked, boolean apart) {
        exits[number * EXIT_WORDS] = Math.toIntExact(distance) << 1 | (apart ? 1 : 0);
        exits[number * EXIT_WORDS + 1] = place(jump) << Character.SIZE | place(unlinked);
    }

    int exitCount() {
        return exits.length / EXIT_WORDS;
    }

    /// The exit of a number.
    Exit exit(int number) {
        for (Exit each = outgoing; each != null; each = each.nextOutgoing) {
            if (each.number == number) {
                return each;
            }
        }
        return new Exit(this, number);
    }

    /// Whether the exit of a number is linked.
    boolean isLinked(int number) {
        for (Exit each = outgoing; each != null; each = each.nextOutgoing) {
            if (each.number == number) {
                return true;
            }
        }
        return false;
    }

    /// As [Exit#target] and [Exit#isApart].
    long exitTarget(int number) {
        return rip + (exits[number * EXIT_WORDS] >> 1);
    }

    boolean exitIsApart(int number) {
        return (exits[number * EXIT_WORDS] & 1) != 0;
    }

    /// The valid one among it and its siblings for an address and rights; null if there is none.
    @Nullable
    TranslatedBlock sibling(long forRip, int forContext, boolean forApart) {
        for (TranslatedBlock each = this; each != null; each = each.nextOfSameCode) {
            if (each.rip == forRip && each.context == forContext && each.apart == forApart && each.valid) {
                return each;
            }
        }
        return null;
    }

    /// Puts it before the others of the same code, of which there are as many as there are places of the page.
    void precede(@Nullable TranslatedBlock siblings) {
        TranslatedBlock last = this;
        for (TranslatedBlock each = siblings; each != null; each = each.nextOfSameCode) {
            if (each.valid) {
                last.nextOfSameCode = each;
                last = each;
            }
        }
        last.nextOfSameCode = null;
    }

    /// Takes what is linked to this block out of all lists, and tells it.
    void unlinkIncoming(Consumer<Exit> each) {
        for (Exit exit = incoming; exit != null; exit = exit.nextIncoming) {
            each.accept(exit);
            exit.from.forgetOutgoing(exit);
            exit.to = null;
        }
        incoming = null;
    }

    private void forgetOutgoing(Exit exit) {
        Exit each = outgoing;
        if (each == exit) {
            outgoing = exit.nextOutgoing;
            return;
        }
        while (each != null) {
            if (each.nextOutgoing == exit) {
                each.nextOutgoing = exit.nextOutgoing;
                return;
            }
            each = each.nextOutgoing;
        }
    }

    /// Takes what leads from this block to others out of their lists.
    void unlinkOutgoing() {
        for (Exit exit = outgoing; exit != null; exit = exit.nextOutgoing) {
            if (exit.to != null) {
                exit.to.forgetIncoming(exit);
                exit.to = null;
            }
        }
        outgoing = null;
    }

    private void forgetIncoming(Exit exit) {
        Exit each = incoming;
        if (each == exit) {
            incoming = exit.nextIncoming;
            return;
        }
        while (each != null) {
            if (each.nextIncoming == exit) {
                each.nextIncoming = exit.nextIncoming;
                return;
            }
            each = each.nextIncoming;
        }
    }

    /// Offset in the code cache of the entry for branches from behind.
    int entryBehind() {
        return start + entryBehind;
    }

    /// Offset in the code cache of the entry for branches from ahead.
    int entryAhead() {
        return start + entryAhead;
    }

    /// Offset in the code cache of the entry for the block's own branch to its beginning.
    int entryAgain() {
        return start + entryAgain;
    }

    /// Offset in the code cache of the entry for the processor, which goes on although a request waits.
    int entryFirst() {
        return start + entryFirst;
    }

    /// How much of the code is executed as a rule, and how much there is.
    int usualBytes() {
        return stubs;
    }

    int codeBytes() {
        return end;
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
    CodeStore.@Nullable Kept kept(@Nullable StoreReader from) {
        int position = storedAt;
        StoredBlock known = stored;
        if (known == null && from != null) {
            known = from.read(position);
        }
        return known == null ? null : new CodeStore.Kept(known, position);
    }

    /// A list of siblings without those that have been given up.
    public static @Nullable TranslatedBlock stillValid(@Nullable TranslatedBlock siblings) {
        TranslatedBlock first = siblings;
        while (first != null && !first.valid) {
            first = first.nextOfSameCode;
        }
        for (TranslatedBlock each = first; each != null; each = each.nextOfSameCode) {
            TranslatedBlock next = each.nextOfSameCode;
            while (next != null && !next.valid) {
                next = next.nextOfSameCode;
            }
            each.nextOfSameCode = next;
        }
        return first;
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

    /// Counts one more execution if there have been fewer than `most`, where 32,768 is without end; whether there
    /// had been fewer.
    public boolean isOneOfFirst(int most) {
        if (most > Short.MAX_VALUE) {
            return true;
        }
        if (executions >= most) {
            return false;
        }
        executions++;
        return true;
    }

    /// Under what it is kept beside its code: its rights, and whether each access is checked by itself.
    int kind() {
        return kind(context, apart);
    }

    static int kind(int context, boolean apart) {
        return apart ? context | APART : context;
    }

    /// What [#of] makes the block of again, beside its code; places count from the block's start.
    int[] layout() {
        int[] words = new int[FIXED_WORDS + exits.length];
        words[0] = entryBehind;
        words[1] = entryAhead;
        words[2] = entryFirst;
        words[3] = stubs;
        words[4] = end;
        words[5] = branchOffset;
        words[6] = branchReleases;
        words[7] = guestBytes;
        words[8] = instructions;
        System.arraycopy(exits, 0, words, FIXED_WORDS, exits.length);
        return words;
    }

    /// A block at another place and address.
    ///
    /// @param words from [#layout]
    static TranslatedBlock of(int[] words, long rip, long page, int context, int start, boolean crosses) {
        int exitCount = (words.length - FIXED_WORDS) / EXIT_WORDS;
        var block = new TranslatedBlock(rip, page, context, start, words[0], words[1], exitCount);
        block.entries(words[0], words[2]);
        block.ends(words[3], words[4]);
        block.branchOffset = (short) words[5];
        block.branchReleases = words[6];
        block.guestBytes = (short) words[7];
        block.instructions = (short) words[8];
        block.crosses = crosses;
        System.arraycopy(words, FIXED_WORDS, block.exits, 0, block.exits.length);
        return block;
    }
}
