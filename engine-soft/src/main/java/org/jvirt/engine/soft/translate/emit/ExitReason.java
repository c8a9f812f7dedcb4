package org.jvirt.engine.soft.translate.emit;

/// Why generated code came back: the numbers that stubs put into [StateLayout#EXIT_REASON].
public final class ExitReason {
    /// Somebody asked for it; at the first instruction of the site's block.
    public static final int REQUESTED = 0;
    /// An indirect branch to [StateLayout#EXIT_TARGET] found no code.
    public static final int INDIRECT = 1;
    /// A direct branch that is not linked yet; a byte at the site numbers it.
    public static final int DIRECT = 2;
    /// The interpreter is to execute the instruction whose offset is at the site.
    public static final int INTERPRET = 3;
    /// A read or write missed the TLB; at the site are the instruction's offset and the way back, the site's
    /// distance from the block's start if the access may fault there at once, or zero, and the way back to behind
    /// the check if the access may go on to the next page, or zero.
    public static final int READ_MISS = 4;
    public static final int WRITE_MISS = 5;
    /// The block needs the vector registers.
    public static final int VECTORS = 6;

    /// A POP or a PUSH is not on the page that its entry knows; at the site as for other misses.
    public static final int POP_MISS = 7;
    public static final int PUSH_MISS = 8;
    /// The block needs the x87 unit.
    public static final int X87 = 9;

    /// In the offset at a site: the live flags are in [StateLayout#SAVED_FLAGS].
    public static final int FLAGS_SAVED = 1 << 15;
    /// In the offset at a site: the binary logarithm of the alignment that the operand must have.
    public static final int ALIGNMENT_SHIFT = 12;

    static final int ALIGNMENTS = 7 << ALIGNMENT_SHIFT;
    /// No operand must be aligned to more bytes.
    static final int GREATEST_ALIGNMENT = 64;
    /// The bits that are the instruction's offset.
    static final int OFFSETS = (1 << ALIGNMENT_SHIFT) - 1;

    private ExitReason() {}

    /// The instruction's offset in its block, of what is at a site.
    public static int offset(int atSite) {
        return atSite & OFFSETS;
    }

    /// Whether the operand at `la` is not aligned as it must be: it faults before anybody looks for its page.
    public static boolean isMisaligned(int atSite, long la) {
        return (la & (1L << (atSite >> ALIGNMENT_SHIFT & 7)) - 1) != 0;
    }
}
