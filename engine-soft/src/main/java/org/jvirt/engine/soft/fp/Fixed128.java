package org.jvirt.engine.soft.fp;

import java.util.function.IntToLongFunction;

/// An accumulator of 128 bits for the series behind the transcendental instructions: an unsigned fraction whose
/// scale is the caller's. Not thread-safe; one belongs to each [X87Environment].
final class Fixed128 {
    long hi;
    long lo;

    void set(long high, long low) {
        hi = high;
        lo = low;
    }

    /// The upper half of the product, at most 3 units too small.
    void multiply(long high, long low) {
        long a = hi * high;
        long b = Math.unsignedMultiplyHigh(hi, low);
        long c = Math.unsignedMultiplyHigh(lo, high);
        long h = Math.unsignedMultiplyHigh(hi, high);
        long l = a + b;
        if (Long.compareUnsigned(l, b) < 0) {
            h++;
        }
        l += c;
        if (Long.compareUnsigned(l, c) < 0) {
            h++;
        }
        hi = h;
        lo = l;
    }

    void add(long high, long low) {
        lo += low;
        hi += high + (Long.compareUnsigned(lo, low) < 0 ? 1 : 0);
    }

    /// `this = high:low - this`.
    void subtractFrom(long high, long low) {
        hi = high - hi - (Long.compareUnsigned(low, lo) < 0 ? 1 : 0);
        lo = low - lo;
    }

    void shiftLeft(int count) {
        if (count >= 64) {
            hi = lo << count;
            lo = 0;
        } else if (count > 0) {
            hi = hi << count | lo >>> -count;
            lo <<= count;
        }
    }

    void shiftRight(int count) {
        if (count >= 128) {
            hi = 0;
            lo = 0;
        } else if (count >= 64) {
            lo = hi >>> count;
            hi = 0;
        } else if (count > 0) {
            lo = lo >>> count | hi << -count;
            hi >>>= count;
        }
    }

    /// Shifts the leading one to the top.
    ///
    /// @return by how many bits; the value is not zero
    int normalise() {
        int zeros = hi != 0 ? Long.numberOfLeadingZeros(hi) : 64 + Long.numberOfLeadingZeros(lo);
        shiftLeft(zeros);
        return zeros;
    }

    /// Replaces a value in [1, 2), scale 2^-127, by its reciprocal, scale 2^-128: at most 16 units off, below one.
    void reciprocal() {
        long dh = hi;
        // Too small by less than 2^-62; one Newton step y + y(1 - dy) squares that.
        long y = dh == -1L ? Long.MIN_VALUE : Wide.divide(Long.MIN_VALUE, 0, dh + 1);
        multiply(y, 0);
        subtractFrom(Long.MIN_VALUE, 0);
        multiply(y, 0);
        shiftLeft(1);
        add(y, 0);
        if (hi >>> 62 == 0) {
            // The reciprocal of one has overflowed.
            set(-1L, -1L);
        }
    }

    /// Evaluates `c[0] + z c[1] + z^2 c[2] + …`, or with alternating signs, into this; `z` has scale 2^-128, the
    /// coefficients decrease and have scale 2^-127, high and low halves in turn.
    void series(long[] coefficients, int terms, long zHigh, long zLow, boolean alternating) {
        set(coefficients[2 * terms - 2], coefficients[2 * terms - 1]);
        for (int k = terms - 2; k >= 0; k--) {
            multiply(zHigh, zLow);
            if (alternating) {
                subtractFrom(coefficients[2 * k], coefficients[2 * k + 1]);
            } else {
                add(coefficients[2 * k], coefficients[2 * k + 1]);
            }
        }
    }

    /// Coefficients for [#series]: each the previous one divided by `divisors`, the first being one.
    static long[] quotients(int count, IntToLongFunction divisors) {
        long[] c = new long[2 * count];
        c[0] = Long.MIN_VALUE;
        for (int k = 1; k < count; k++) {
            divide(c, k, c[2 * k - 2], c[2 * k - 1], divisors.applyAsLong(k));
        }
        return c;
    }

    /// The reciprocals of 1, 3, 5, …
    static long[] oddReciprocals(int count) {
        long[] c = new long[2 * count];
        for (int k = 0; k < count; k++) {
            divide(c, k, Long.MIN_VALUE, 0, 2L * k + 1);
        }
        return c;
    }

    private static void divide(long[] c, int k, long high, long low, long divisor) {
        long q = Long.divideUnsigned(high, divisor);
        long rest = high - q * divisor;
        long middle = rest << 32 | low >>> 32;
        long q1 = Long.divideUnsigned(middle, divisor);
        long end = middle - q1 * divisor << 32 | low & 0xFFFF_FFFFL;
        c[2 * k] = q;
        c[2 * k + 1] = (q1 << 32) + Long.divideUnsigned(end, divisor);
    }
}
