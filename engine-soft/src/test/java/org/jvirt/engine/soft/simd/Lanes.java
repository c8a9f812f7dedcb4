package org.jvirt.engine.soft.simd;

import java.util.SplittableRandom;

/// Vectors as arrays of elements, for definitions that are written element by element.
final class Lanes {
    private static final long[] SPECIAL = {
        0,
        -1,
        1,
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0x8080_8080_8080_8080L,
        0x7F7F_7F7F_7F7F_7F7FL,
        0x8000_8000_8000_8000L,
        0x7FFF_7FFF_7FFF_7FFFL,
        0x8000_0000_8000_0000L,
        0x7FFF_FFFF_7FFF_FFFFL,
        0x0001_0001_0001_0001L,
        0x00FF_00FF_00FF_00FFL,
        0xFF00_FF00_FF00_FF00L,
        0x0123_4567_89AB_CDEFL
    };

    private Lanes() {}

    /// Often a value with something special about it.
    static long value(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
            case 1 -> random.nextLong() & random.nextLong() & random.nextLong();
            default -> random.nextLong();
        };
    }

    /// The elements of `bits` bits, from the lowest word's lowest on.
    static long[] split(int bits, boolean signed, long... words) {
        int perWord = 64 / bits;
        long[] elements = new long[words.length * perWord];
        for (int i = 0; i < elements.length; i++) {
            long up = words[i / perWord] << 64 - bits - i % perWord * bits;
            elements[i] = signed ? up >> 64 - bits : up >>> 64 - bits;
        }
        return elements;
    }

    /// The words made of elements, each cut to its bits.
    static long[] join(int bits, long... elements) {
        int perWord = 64 / bits;
        long[] words = new long[elements.length / perWord];
        for (int i = 0; i < elements.length; i++) {
            long cut = bits == 64 ? elements[i] : elements[i] & (1L << bits) - 1;
            words[i / perWord] |= cut << i % perWord * bits;
        }
        return words;
    }

    /// Both words of what a lane function gives.
    static long[] apply(LaneFunctions.Lane function, long[] a, long[] b, int imm) {
        return new long[] {
            function.apply(0, a[0], a[1], b[0], b[1], imm), function.apply(1, a[0], a[1], b[0], b[1], imm)
        };
    }
}
