package org.jvirt.engine.soft.translate.store;

/// Where the records of a file are, by key, and what their blocks begin with; a few are found by a key that is not
/// theirs.
///
/// A slot is a word and the hash of an [Opening], so that 100,000 records take 3 MiB at most:
///
/// ```
/// 63     40 39    28 27        0
///  of a key  shape    position    in units of 8; 0 for none: no record is at the start of a file
/// ```
///
/// One thread at a time adds; any may search meanwhile, in a [Table] that it takes once.
final class RecordIndex {
    private static final int FIRST_SLOTS = 1 << 13;
    private static final int TAG_SHIFT = 40;
    private static final int POSITION_BITS = 28;
    private static final int POSITION_SHIFT = 3;

    private volatile Table table = new Table(FIRST_SLOTS);
    private int count;

    private static int tag(long key) {
        return (int) (key >>> TAG_SHIFT);
    }

    /// Notes a record at a position that is a multiple of 8 and not 0.
    synchronized void add(long key, int shape, int hash, int position) {
        if (4 * count >= 3 * table.words.length) {
            grow();
        }
        long where = (long) position >>> POSITION_SHIFT;
        table.put((long) tag(key) << TAG_SHIFT | (long) shape << POSITION_BITS | where, hash);
        count++;
    }

    private void grow() {
        Table old = table;
        var larger = new Table(2 * old.words.length);
        for (int slot = 0; slot < old.words.length; slot++) {
            if (old.words[slot] != 0) {
                larger.put(old.words[slot], old.hashes[slot]);
            }
        }
        table = larger;
    }

    /// What to search.
    Table table() {
        return table;
    }

    /// What is known at some time, and a little more.
    static final class Table {
        private final long[] words;
        /// Written before the word; who sees one without the other finds nothing.
        private final int[] hashes;

        private Table(int slots) {
            words = new long[slots];
            hashes = new int[slots];
        }

        private void put(long word, int hash) {
            int slot = slot(tag(word));
            while (words[slot] != 0) {
                slot = slot + 1 & words.length - 1;
            }
            hashes[slot] = hash;
            words[slot] = word;
        }

        private int slot(int tag) {
            return tag & words.length - 1;
        }

        /// The first slot with a key, or -1.
        int first(long key) {
            return from(tag(key), slot(tag(key)));
        }

        /// The next one after `slot`, or -1.
        int next(long key, int slot) {
            return from(tag(key), slot + 1 & words.length - 1);
        }

        private int from(int tag, int start) {
            for (int slot = start; words[slot] != 0; slot = slot + 1 & words.length - 1) {
                if (tag(words[slot]) == tag) {
                    return slot;
                }
            }
            return -1;
        }

        /// Whether the record in a slot is of a block that begins as the code does that is at `rip` and begins at
        /// `start` in `bytes`.
        boolean opens(int slot, byte[] bytes, int start, long rip) {
            int shape = (int) (words[slot] >>> POSITION_BITS) & (1 << Opening.SHAPE_BITS) - 1;
            // the shape may be that of a block elsewhere in its page
            return Opening.isPossible(shape, start) && Opening.hash(bytes, start, shape, rip) == hashes[slot];
        }

        /// The position of the record in a slot.
        int position(int slot) {
            return (int) (words[slot] & (1L << POSITION_BITS) - 1) << POSITION_SHIFT;
        }
    }
}
