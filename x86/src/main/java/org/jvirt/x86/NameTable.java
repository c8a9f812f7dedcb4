package org.jvirt.x86;

import org.jspecify.annotations.Nullable;

/// Values by name, where a name is looked up as a stretch of bytes: a `HashMap` would need a string for each
/// look-up, and the opcode table makes thousands of them before any code is compiled.
final class NameTable<T> {
    private final @Nullable String[] names;
    private final @Nullable Object[] values;
    private final int[] hashes;
    private final int mask;

    /// A table with room for `capacity` entries, a power of two that is larger than what it will hold.
    NameTable(int capacity) {
        names = new String[capacity];
        values = new Object[capacity];
        hashes = new int[capacity];
        mask = capacity - 1;
    }

    void put(String name, T value) {
        int hash = name.hashCode();
        int at = slot(hash);
        while (values[at] != null) {
            at = at + 1 & mask;
        }
        names[at] = name;
        values[at] = value;
        hashes[at] = hash;
    }

    private int slot(int hash) {
        return (hash ^ hash >>> 15) & mask;
    }

    /// The value of the name in `text` from `from` to `to`, or null.
    @SuppressWarnings("unchecked")
    @Nullable
    T get(byte[] text, int from, int to) {
        // the same polynomial as String.hashCode
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + text[i];
        }
        int at = slot(hash);
        while (true) {
            Object value = values[at];
            if (value == null) {
                return null;
            }
            if (hashes[at] == hash && same(names[at], text, from, to)) {
                return (T) value;
            }
            at = at + 1 & mask;
        }
    }

    private static boolean same(@Nullable String name, byte[] text, int from, int to) {
        if (name == null || name.length() != to - from) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (name.charAt(i - from) != text[i]) {
                return false;
            }
        }
        return true;
    }
}
