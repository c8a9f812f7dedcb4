package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.DE;
import static org.jvirt.engine.soft.fp.FpEnvironment.DOWN;
import static org.jvirt.engine.soft.fp.FpEnvironment.IE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PE;
import static org.jvirt.engine.soft.fp.FpEnvironment.ZE;

/// SSE arithmetic on integers: the general way for every format, rounding mode and special operand.
///
/// Priorities of exceptions follow the Intel SDM, volume 1, section 4.9.2: signaling NaN, quiet NaN, other invalid
/// operations and division by zero, denormal operand, and after the computation overflow, underflow and
/// inexactness.
final class Ieee {
    private static final long TOP = Long.MIN_VALUE;

    private Ieee() {}

    /// The operand that is computed with: a denormal becomes zero under DAZ.
    private static long operand(Mxcsr m, IeeeFormat f, long bits) {
        return m.denormalsAreZero && f.isDenormal(bits) ? bits & f.sign() : bits;
    }

    private static long invalid(Mxcsr m, IeeeFormat f) {
        m.raised |= IE;
        return f.indefinite();
    }

    private static long quieted(Mxcsr m, IeeeFormat f, long nan) {
        if ((nan & f.quiet()) == 0) {
            m.raised |= IE;
        }
        return nan | f.quiet();
    }

    /// The first operand if it is a NaN, else the second; one of them is.
    private static long nan(Mxcsr m, IeeeFormat f, long a, long b) {
        if (f.isSignaling(a) || f.isSignaling(b)) {
            m.raised |= IE;
        }
        return (f.isNaN(a) ? a : b) | f.quiet();
    }

    private static void noteDenormals(Mxcsr m, IeeeFormat f, long a, long b) {
        if (f.isDenormal(a) || f.isDenormal(b)) {
            m.raised |= DE;
        }
    }

    /// `a + b`, or `a - b` with `flip` being the sign bit.
    static long add(Mxcsr m, IeeeFormat f, long a0, long b0, long flip) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        if (f.isNaN(a) || f.isNaN(b)) {
            return nan(m, f, a, b);
        }
        b ^= flip;
        if (f.isInfinite(a) && f.isInfinite(b) && a != b) {
            return invalid(m, f);
        }
        noteDenormals(m, f, a, b);
        if (f.isInfinite(a)) {
            return a;
        }
        if (f.isInfinite(b)) {
            return b;
        }
        if (f.isZero(a) && f.isZero(b)) {
            return a == b ? a : zero(m, f);
        }
        if (f.isZero(a) || f.isZero(b)) {
            long x = f.isZero(a) ? b : a;
            return f.round(m, f.isNegative(x), f.exponent(x), f.significand(x));
        }
        return addWide(
                m,
                f,
                f.isNegative(a),
                f.exponent(a),
                f.significand(a),
                0,
                f.isNegative(b),
                f.exponent(b),
                f.significand(b));
    }

    private static long zero(Mxcsr m, IeeeFormat f) {
        return m.rounding == DOWN ? f.sign() : 0;
    }

    /// Adds a value of up to 128 significant bits and one of 64 bits, both normalised.
    private static long addWide(
            Mxcsr m, IeeeFormat f, boolean an, int ax, long aHigh, long aLow, boolean bn, int bx, long bHigh) {
        boolean swap = ax < bx || ax == bx && (Long.compareUnsigned(aHigh, bHigh) < 0);
        int x = swap ? bx : ax;
        boolean negative = swap ? bn : an;
        long high = swap ? bHigh : aHigh;
        long low = swap ? 0 : aLow;
        long smallHigh = swap ? aHigh : bHigh;
        long smallLow = swap ? aLow : 0;
        int distance = Math.abs(ax - bx);
        smallLow = Wide.shiftRightLowJam(smallHigh, smallLow, distance);
        smallHigh = Wide.shiftRightHigh(smallHigh, distance);
        if (an == bn) {
            low += smallLow;
            long carry = Long.compareUnsigned(low, smallLow) < 0 ? 1 : 0;
            high += smallHigh + carry;
            int c = Long.compareUnsigned(high, smallHigh);
            if (c < 0 || c == 0 && carry != 0) {
                low = high << 63 | low >>> 1 | low & 1;
                high = high >>> 1 | TOP;
                x++;
            }
        } else {
            high -= smallHigh + (Long.compareUnsigned(low, smallLow) < 0 ? 1 : 0);
            low -= smallLow;
            if ((high | low) == 0) {
                return zero(m, f);
            }
            int zeros = high != 0 ? Long.numberOfLeadingZeros(high) : 64 + Long.numberOfLeadingZeros(low);
            if (zeros >= 64) {
                high = low << zeros;
                low = 0;
            } else if (zeros > 0) {
                high = high << zeros | low >>> -zeros;
                low <<= zeros;
            }
            x -= zeros;
        }
        return f.round(m, negative, x, high | (low != 0 ? 1 : 0));
    }

    static long mul(Mxcsr m, IeeeFormat f, long a0, long b0) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        if (f.isNaN(a) || f.isNaN(b)) {
            return nan(m, f, a, b);
        }
        boolean infinite = f.isInfinite(a) || f.isInfinite(b);
        boolean zero = f.isZero(a) || f.isZero(b);
        if (infinite && zero) {
            return invalid(m, f);
        }
        noteDenormals(m, f, a, b);
        long sign = (a ^ b) & f.sign();
        if (infinite || zero) {
            return sign | (zero ? 0 : f.infinity());
        }
        long as = f.significand(a);
        long bs = f.significand(b);
        int x = f.exponent(a) + f.exponent(b) + 1;
        long high = Math.unsignedMultiplyHigh(as, bs);
        long low = as * bs;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            x--;
        }
        return f.round(m, sign != 0, x, high | (low != 0 ? 1 : 0));
    }

    static long div(Mxcsr m, IeeeFormat f, long a0, long b0) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        if (f.isNaN(a) || f.isNaN(b)) {
            return nan(m, f, a, b);
        }
        if (f.isInfinite(a) && f.isInfinite(b) || f.isZero(a) && f.isZero(b)) {
            return invalid(m, f);
        }
        long sign = (a ^ b) & f.sign();
        if (f.isZero(b) && !f.isInfinite(a)) {
            m.raised |= ZE;
            return sign | f.infinity();
        }
        noteDenormals(m, f, a, b);
        if (f.isInfinite(a)) {
            return sign | f.infinity();
        }
        if (f.isZero(a) || f.isInfinite(b)) {
            return sign;
        }
        long as = f.significand(a);
        long bs = f.significand(b);
        int x = f.exponent(a) - f.exponent(b);
        long q;
        long rest;
        if (Long.compareUnsigned(as, bs) < 0) {
            q = Wide.divide(as, 0, bs);
            rest = -q * bs;
            x--;
        } else {
            q = Wide.divide(as >>> 1, as << 63, bs);
            rest = (as << 63) - q * bs;
        }
        return f.round(m, sign != 0, x, q | (rest != 0 ? 1 : 0));
    }

    static long sqrt(Mxcsr m, IeeeFormat f, long a0) {
        long a = operand(m, f, a0);
        if (f.isNaN(a)) {
            return quieted(m, f, a);
        }
        if (f.isZero(a)) {
            return a;
        }
        if (f.isNegative(a)) {
            return invalid(m, f);
        }
        if (f.isInfinite(a)) {
            return a;
        }
        noteDenormals(m, f, a, 0);
        long s = f.significand(a);
        int x = f.exponent(a);
        boolean odd = (x & 1) != 0;
        long root = Wide.sqrt(odd ? s : s >>> 1, odd ? 0 : s << 63);
        boolean exact =
                root * root == (odd ? 0 : s << 63) && Math.unsignedMultiplyHigh(root, root) == (odd ? s : s >>> 1);
        return f.round(m, false, x >> 1, root | (exact ? 0 : 1));
    }

    /// `±(a * b) ± c` with one rounding; the first NaN of a, b, c is the result.
    static long fma(Mxcsr m, IeeeFormat f, long a0, long b0, long c0, boolean negateProduct, boolean negateAddend) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        long c = operand(m, f, c0);
        if (f.isNaN(a) || f.isNaN(b) || f.isNaN(c)) {
            if (f.isSignaling(a) || f.isSignaling(b) || f.isSignaling(c)) {
                m.raised |= IE;
            }
            return (f.isNaN(a) ? a : f.isNaN(b) ? b : c) | f.quiet();
        }
        boolean pn = f.isNegative(a) != f.isNegative(b) != negateProduct;
        boolean cn = f.isNegative(c) != negateAddend;
        boolean infinite = f.isInfinite(a) || f.isInfinite(b);
        boolean zero = f.isZero(a) || f.isZero(b);
        if (infinite && (zero || f.isInfinite(c) && pn != cn)) {
            return invalid(m, f);
        }
        noteDenormals(m, f, a, b);
        noteDenormals(m, f, c, c);
        if (infinite) {
            return f.infinity() | (pn ? f.sign() : 0);
        }
        if (f.isInfinite(c)) {
            return f.infinity() | (cn ? f.sign() : 0);
        }
        if (zero) {
            if (f.isZero(c)) {
                return pn == cn ? pn ? f.sign() : 0 : zero(m, f);
            }
            return f.round(m, cn, f.exponent(c), f.significand(c));
        }
        long as = f.significand(a);
        long bs = f.significand(b);
        int x = f.exponent(a) + f.exponent(b) + 1;
        long high = Math.unsignedMultiplyHigh(as, bs);
        long low = as * bs;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            x--;
        }
        if (f.isZero(c)) {
            return f.round(m, pn, x, high | (low != 0 ? 1 : 0));
        }
        return addWide(m, f, pn, x, high, low, cn, f.exponent(c), f.significand(c));
    }

    /// MINSS and its relatives: the second operand when one is a NaN or both are zeros.
    static long min(Mxcsr m, IeeeFormat f, long a0, long b0, boolean max) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        if (f.isNaN(a) || f.isNaN(b)) {
            m.raised |= IE;
            return b;
        }
        noteDenormals(m, f, a, b);
        int c = order(f, a, b);
        return (max ? c > 0 : c < 0) ? a : b;
    }

    private static int order(IeeeFormat f, long a, long b) {
        long x = f.isNegative(a) ? -f.magnitude(a) : f.magnitude(a);
        long y = f.isNegative(b) ? -f.magnitude(b) : f.magnitude(b);
        return Long.compare(x, y);
    }

    /// Less, equal, greater as -1, 0, 1, unordered as 2.
    static int compare(Mxcsr m, IeeeFormat f, long a0, long b0, boolean quiet) {
        long a = operand(m, f, a0);
        long b = operand(m, f, b0);
        if (f.isNaN(a) || f.isNaN(b)) {
            if (!quiet || f.isSignaling(a) || f.isSignaling(b)) {
                m.raised |= IE;
            }
            return 2;
        }
        noteDenormals(m, f, a, b);
        return order(f, a, b);
    }

    /// To a signed integer of 32 or 64 bits.
    static long toInteger(Mxcsr m, IeeeFormat f, long a0, int bits, int rounding) {
        long a = operand(m, f, a0);
        long indefinite = TOP >> 64 - bits;
        if (f.isZero(a)) {
            return 0;
        }
        int x = f.exponent(a);
        if (f.magnitude(a) >= f.infinity() || x > 63) {
            m.raised |= IE;
            return indefinite;
        }
        boolean negative = f.isNegative(a);
        long s = f.significand(a);
        long kept = x < 0 ? 0 : s >>> 63 - x;
        long lost = x < -1 ? 1 : x == -1 ? s : x == 63 ? 0 : s << x + 1;
        if (lost != 0) {
            boolean guard = x >= -1 && lost < 0;
            boolean rest = x < -1 || lost << 1 != 0;
            int mode = m.rounding;
            m.rounding = rounding;
            if (m.increments(negative, (kept & 1) != 0, guard, rest)) {
                kept++;
            }
            m.rounding = mode;
        }
        long limit = 1L << bits - 1;
        int c = Long.compareUnsigned(kept, limit);
        if (negative ? c > 0 : c >= 0) {
            m.raised |= IE;
            return indefinite;
        }
        if (lost != 0) {
            m.raised |= PE;
        }
        return negative ? -kept : kept;
    }

    static long fromInteger(Mxcsr m, IeeeFormat f, long value) {
        if (value == 0) {
            return 0;
        }
        long magnitude = Math.abs(value);
        int zeros = Long.numberOfLeadingZeros(magnitude);
        return f.round(m, value < 0, 63 - zeros, magnitude << zeros);
    }

    /// Between formats.
    static long convert(Mxcsr m, IeeeFormat from, IeeeFormat to, long a0) {
        long a = operand(m, from, a0);
        long sign = from.isNegative(a) ? to.sign() : 0;
        if (from.isNaN(a)) {
            if (from.isSignaling(a)) {
                m.raised |= IE;
            }
            int shift = to.precision() - from.precision();
            long payload = a & from.fraction();
            return sign | to.infinity() | to.quiet() | (shift > 0 ? payload << shift : payload >>> -shift);
        }
        if (from.isInfinite(a)) {
            return sign | to.infinity();
        }
        if (from.isZero(a)) {
            return sign;
        }
        noteDenormals(m, from, a, 0);
        return to.round(m, sign != 0, from.exponent(a), from.significand(a));
    }

    /// ROUNDSS and its relatives; bit 2 of the immediate means MXCSR's mode, bit 3 suppresses inexactness.
    static long roundToIntegral(Mxcsr m, IeeeFormat f, long a0, int immediate) {
        long a = operand(m, f, a0);
        if (f.isNaN(a)) {
            return quieted(m, f, a);
        }
        int x = f.isZero(a) ? 64 : f.exponent(a);
        if (x >= f.precision() - 1) {
            return a;
        }
        long sign = a & f.sign();
        int mode = m.rounding;
        m.rounding = (immediate & 4) != 0 ? mode : immediate & 3;
        long result;
        if (x < 0) {
            long one = (long) f.bias() << f.precision() - 1;
            boolean up = m.increments(sign != 0, false, x == -1, x < -1 || f.significand(a) << 1 != 0);
            result = sign | (up ? one : 0);
        } else {
            int unit = f.precision() - 1 - x;
            long lost = a << 64 - unit;
            result = a >>> unit << unit;
            boolean odd = (f.significand(a) >>> 63 - x & 1) != 0;
            if (lost != 0 && m.increments(sign != 0, odd, lost < 0, lost << 1 != 0)) {
                result += 1L << unit;
            }
        }
        m.rounding = mode;
        if (result != a && (immediate & 8) == 0) {
            m.raised |= PE;
        }
        return result;
    }
}
