package org.jvirt.engine.soft.translate.store;

/// Where the records of a file are, by key; several may have the same key.
///
/// A table that is at most half full, so that a search that finds nothing is as short as one that finds. Not
/// thread-safe while it is filled.
final class RecordIndex {
    private static final int FIRST_SLOTS = 1 << 15;

    private long[] keys = new long[FIRST_SLOTS];
    /// 0 for none: no record is at the start of a file.
    private long[] positions = new long[FIRST_SLOTS];

    private int count;

    private int slot(long key) {
        return (int) (key >>> 32) & keys.length - 1;
    }

    /// Notes a record at a position that is not 0.
    void add(long key, long position) {
        if (2 * count >= keys.length) {
            grow();
        }
        put(key, position);
        count++;
    }

    private void put(long key, long position) {
        int slot = slot(key);
        while (positions[slot] != 0) {
            slot = slot + 1 & keys.length - 1;
        }
        keys[slot] = key;
        positions[slot] = position;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldPositions = positions;
        keys = new long[2 * oldKeys.length];
        positions = new long[2 * oldKeys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldPositions[i] != 0) {
                put(oldKeys[i], oldPositions[i]);
            }
        }
    }

    /// The first slot with a key, or -1.
    int first(long key) {
        return from(key, slot(key));
    }

    /// The next one after `slot`, or -1.
    int next(long key, int slot) {
        return from(key, slot + 1 & keys.length - 1);
    }

    private int from(long key, int start) {
        for (int slot = start; positions[slot] != 0; slot = slot + 1 & keys.length - 1) {
            if (keys[slot] == key) {
                return slot;
            }
        }
        return -1;
    }

    /// The position of the record in a slot.
    long position(int slot) {
        return positions[slot];
    }
}
