package org.jvirt.engine.soft.fp;

/// 128-bit helpers on pairs of longs.
final class Wide {
    private Wide() {}

    /// Quotient of the unsigned `high:low` by a divisor with its top bit set; `high` is less than the divisor.
    static long divide(long high, long low, long divisor) {
        // Schoolbook division with two 32-bit digits (Knuth, TAOCP volume 2, 4.3.1, algorithm D).
        long d1 = divisor >>> 32;
        long d0 = divisor & 0xFFFF_FFFFL;
        long q1 = digit(high, low >>> 32, d1, d0);
        long rest = (high << 32 | low >>> 32) - q1 * divisor;
        long q0 = digit(rest, low & 0xFFFF_FFFFL, d1, d0);
        return (q1 << 32) + q0;
    }

    private static long digit(long high, long next, long d1, long d0) {
        long q = Long.divideUnsigned(high, d1);
        long r = high - q * d1;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, r << 32 | next) > 0) {
            q--;
            r += d1;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }

    /// Floor of the square root of `high:low`, where `high` has one of its two top bits set.
    static long sqrt(long high, long low) {
        double estimate = Math.sqrt((double) (high >>> 1) * 2.0) * 0x1p32;
        long root = estimate >= 0x1p64 ? -1L : fromDouble(estimate);
        // One Newton step brings 50 good bits to 64; its quotient fits because the estimate exceeds `high`.
        if (Long.compareUnsigned(high, root) >= 0) {
            if (high == -1L) {
                return -1L;
            }
            root = high + 1;
        }
        long q = divide(high, low, root);
        long sum = root + q;
        root = sum >>> 1 | (Long.compareUnsigned(sum, root) < 0 ? Long.MIN_VALUE : 0);
        while (squareExceeds(root, high, low)) {
            root--;
        }
        while (root != -1L && !squareExceeds(root + 1, high, low)) {
            root++;
        }
        return root;
    }

    private static boolean squareExceeds(long root, long high, long low) {
        int c = Long.compareUnsigned(Math.unsignedMultiplyHigh(root, root), high);
        return c > 0 || c == 0 && Long.compareUnsigned(root * root, low) > 0;
    }

    private static long fromDouble(double unsigned) {
        return unsigned < 0x1p63 ? (long) unsigned : (long) (unsigned - 0x1p63) ^ Long.MIN_VALUE;
    }

    /// `value >> count` with every lost bit ORed into the last one; any `count >= 0`.
    static long shiftRightJam(long value, int count) {
        if (count == 0) {
            return value;
        }
        if (count < 64) {
            return value >>> count | (value << -count != 0 ? 1 : 0);
        }
        return value != 0 ? 1 : 0;
    }

    /// High half of `(high:low) >> count`, any `count >= 0`.
    static long shiftRightHigh(long high, int count) {
        return count < 64 ? high >>> count : 0;
    }

    /// Low half of `(high:low) >> count` with every lost bit ORed into the last one.
    static long shiftRightLowJam(long high, long low, int count) {
        if (count == 0) {
            return low;
        }
        if (count < 64) {
            return high << -count | low >>> count | (low << -count != 0 ? 1 : 0);
        }
        if (count == 64) {
            return high | (low != 0 ? 1 : 0);
        }
        if (count < 128) {
            return high >>> count - 64 | (high << -count != 0 || low != 0 ? 1 : 0);
        }
        return (high | low) != 0 ? 1 : 0;
    }
}
