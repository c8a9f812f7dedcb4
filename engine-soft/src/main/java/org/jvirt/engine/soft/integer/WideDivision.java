package org.jvirt.engine.soft.integer;

/// Division of a 128-bit number by a 64-bit one, as `DIV` and `IDIV` need it: the quotient has 64 bits or is
/// refused. The remainder follows from the quotient: `low - quotient * divisor` in 64 bits.
final class WideDivision {
    private static final long LOW32 = 0xFFFF_FFFFL;

    private WideDivision() {}

    /// Whether the unsigned quotient does not fit in 64 bits, or the divisor is zero.
    static boolean overflows(long high, long divisor) {
        return Long.compareUnsigned(high, divisor) >= 0;
    }

    /// The unsigned quotient of `high:low` by `divisor`, where it does not [#overflows].
    static long quotient(long high, long low, long divisor) {
        if (high == 0) {
            return Long.divideUnsigned(low, divisor);
        }
        // long division in two digits of 32 bits, with the divisor's top bit set so that each estimate is at most two
        // too large (Knuth, volume 2, section 4.3.1, algorithm D)
        int shift = Long.numberOfLeadingZeros(divisor);
        long d = divisor << shift;
        long dHigh = d >>> 32;
        long dLow = d & LOW32;
        long top = shift == 0 ? high : high << shift | low >>> (64 - shift);
        long bottom = low << shift;
        long q1 = digit(top, bottom >>> 32, dHigh, dLow);
        long rest = (top << 32 | bottom >>> 32) - q1 * d;
        long q0 = digit(rest, bottom & LOW32, dHigh, dLow);
        return q1 << 32 | q0;
    }

    /// One digit of the quotient of `rest:next` (96 bits) by the normalised divisor.
    private static long digit(long rest, long next, long dHigh, long dLow) {
        long q = Long.divideUnsigned(rest, dHigh);
        long r = rest - q * dHigh;
        while (q > LOW32 || Long.compareUnsigned(q * dLow, r << 32 | next) > 0) {
            q--;
            r += dHigh;
            if (r > LOW32) {
                break;
            }
        }
        return q;
    }

    /// Whether the signed quotient does not fit in 64 bits, or the divisor is zero.
    static boolean signedOverflows(long high, long low, long divisor) {
        if (divisor == 0) {
            return true;
        }
        long absHigh = high < 0 ? (low == 0 ? -high : ~high) : high;
        long absLow = high < 0 ? -low : low;
        long absDivisor = Math.abs(divisor);
        if (overflows(absHigh, absDivisor)) {
            return true;
        }
        long q = quotient(absHigh, absLow, absDivisor);
        return (high ^ divisor) < 0 ? Long.compareUnsigned(q, Long.MIN_VALUE) > 0 : q < 0;
    }

    /// The signed quotient, rounded towards zero, where it does not [#signedOverflows].
    static long signedQuotient(long high, long low, long divisor) {
        long absHigh = high < 0 ? (low == 0 ? -high : ~high) : high;
        long absLow = high < 0 ? -low : low;
        long q = quotient(absHigh, absLow, Math.abs(divisor));
        return (high ^ divisor) < 0 ? -q : q;
    }
}
