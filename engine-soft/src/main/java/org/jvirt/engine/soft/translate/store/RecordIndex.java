package org.jvirt.engine.soft.translate.store;

/// Where the records of a file are, by key; several may have the same key, and a few are found by one that is not
/// theirs.
///
/// A slot is one word, so that 100,000 records take 2 MiB at most:
///
/// ```
/// 63       32 31        0
///  half a key  position      0 for none: no record is at the start of a file
/// ```
///
/// One thread at a time adds; any may search meanwhile, in a [#table] that it takes once.
final class RecordIndex {
    private static final int FIRST_SLOTS = 1 << 13;

    private volatile long[] slots = new long[FIRST_SLOTS];
    private int count;

    private static int tag(long key) {
        return (int) (key >>> 32);
    }

    private static int slot(long[] table, int tag) {
        return tag >>> 1 & table.length - 1;
    }

    /// Notes a record at a position that is not 0.
    synchronized void add(long key, int position) {
        if (4 * count >= 3 * slots.length) {
            grow();
        }
        put(slots, (long) tag(key) << 32 | position);
        count++;
    }

    private static void put(long[] table, long word) {
        int slot = slot(table, tag(word));
        while (table[slot] != 0) {
            slot = slot + 1 & table.length - 1;
        }
        table[slot] = word;
    }

    private void grow() {
        long[] larger = new long[2 * slots.length];
        for (long word : slots) {
            if (word != 0) {
                put(larger, word);
            }
        }
        slots = larger;
    }

    /// What to search.
    long[] table() {
        return slots;
    }

    /// The first slot with a key, or -1.
    static int first(long[] table, long key) {
        return from(table, key, slot(table, tag(key)));
    }

    /// The next one after `slot`, or -1.
    static int next(long[] table, long key, int slot) {
        return from(table, key, slot + 1 & table.length - 1);
    }

    private static int from(long[] table, long key, int start) {
        for (int slot = start; table[slot] != 0; slot = slot + 1 & table.length - 1) {
            if (tag(table[slot]) == tag(key)) {
                return slot;
            }
        }
        return -1;
    }

    /// The position of the record in a slot.
    static int position(long word) {
        return (int) word;
    }
}
