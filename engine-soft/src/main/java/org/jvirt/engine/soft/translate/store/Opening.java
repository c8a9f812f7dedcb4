package org.jvirt.engine.soft.translate.store;

/// What the index knows of the bytes that a block begins with, for a block that merely begins alike not to be read.
///
/// ```
/// 11    6 5      0
///  count   field     how many bytes count; where in them an address of the guest's kernel is, or 63
/// ```
///
/// Of such a field what counts is its distance from the block's address: both move with the kernel. Of what moves
/// against it nothing counts.
final class Opening {
    /// No more bytes count.
    static final int MOST_BYTES = 63;

    /// A shape takes so many bits.
    static final int SHAPE_BITS = 12;

    private static final int FIELD_BITS = 6;
    private static final int NO_FIELD = (1 << FIELD_BITS) - 1;
    private static final int PAGE = 4096;

    private Opening() {}

    /// Which of a block's first bytes count.
    static int shape(StoredBlock block) {
        int from = block.start() - block.first();
        int count = Math.min(Math.min(block.guest().length - from, PAGE - block.start()), MOST_BYTES);
        int field = NO_FIELD;
        for (int each : block.fields()) {
            int at = StoredBlock.place(each) - from;
            if (at < 0) {
                continue;
            }
            boolean against = StoredBlock.step(each, 1) < 0;
            if (against || field != NO_FIELD || at + 4 > count) {
                count = Math.min(count, at);
                break;
            }
            field = at;
        }
        return count << FIELD_BITS | field;
    }

    /// Whether code that begins at an offset of its page can have a shape: no more bytes count than are on the
    /// page.
    static boolean isPossible(int shape, int start) {
        return start + (shape >>> FIELD_BITS) <= PAGE;
    }

    /// A hash of those bytes of code at linear address `rip`, which begins at `start`.
    static int hash(byte[] bytes, int start, int shape, long rip) {
        int field = shape & NO_FIELD;
        int end = start + (shape >>> FIELD_BITS);
        int hash = shape;
        int at = start;
        if (field != NO_FIELD) {
            for (; at < start + field; at++) {
                hash = 31 * hash + bytes[at];
            }
            hash = 31 * hash + StoredBlock.word(bytes, at) - (int) rip;
            at += 4;
        }
        for (; at < end; at++) {
            hash = 31 * hash + bytes[at];
        }
        return hash * 0x9E37_79B1;
    }

    static int hash(StoredBlock block) {
        return hash(block.guest(), block.start() - block.first(), shape(block), block.rip());
    }
}
