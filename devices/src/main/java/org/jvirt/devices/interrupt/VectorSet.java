package org.jvirt.devices.interrupt;

import java.util.List;

/// A set of interrupt vectors: one of IRR, ISR and TMR. Guarded by its local APIC's lock.
final class VectorSet {
    private final long[] words = new long[4];

    boolean contains(int vector) {
        return (words[vector >> 6] & 1L << vector) != 0;
    }

    void add(int vector) {
        words[vector >> 6] |= 1L << vector;
    }

    void remove(int vector) {
        words[vector >> 6] &= ~(1L << vector);
    }

    void put(int vector, boolean present) {
        if (present) {
            add(vector);
        } else {
            remove(vector);
        }
    }

    void clear() {
        for (int i = 0; i < words.length; i++) {
            words[i] = 0;
        }
    }

    /// -1 when empty.
    int highest() {
        for (int i = words.length - 1; i >= 0; i--) {
            if (words[i] != 0) {
                return (i << 6) + 63 - Long.numberOfLeadingZeros(words[i]);
            }
        }
        return -1;
    }

    boolean isEmpty() {
        return (words[0] | words[1] | words[2] | words[3]) == 0;
    }

    boolean isOnly(int vector) {
        int size = 0;
        for (long word : words) {
            size += Long.bitCount(word);
        }
        return size == 1 && contains(vector);
    }

    /// The 32-bit register `index`, 0–7.
    int register(int index) {
        return (int) (words[index >> 1] >>> (32 * (index & 1)));
    }

    List<Long> save() {
        return List.of(words[0], words[1], words[2], words[3]);
    }

    void load(List<Long> saved) {
        for (int i = 0; i < words.length; i++) {
            words[i] = saved.get(i);
        }
    }
}
