package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.DE;
import static org.jvirt.engine.soft.fp.FpEnvironment.DOWN;
import static org.jvirt.engine.soft.fp.FpEnvironment.IE;
import static org.jvirt.engine.soft.fp.FpEnvironment.OE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PE;
import static org.jvirt.engine.soft.fp.FpEnvironment.UE;
import static org.jvirt.engine.soft.fp.FpEnvironment.ZE;

/// Arithmetic of the x87's 80-bit format: add, subtract, multiply, divide, square root, compare, classify.
///
/// ```
///  79 78       64 63 62                                   0
///  +-+-----------+--+--------------------------------------+
///  |s| exponent  |J | fraction                             |   J: explicit integer bit
///  +-+-----------+--+--------------------------------------+
/// ```
///
/// An operand is a significand (bits 0 to 63) and an int of sign and exponent (bits 64 to 79). Results, exceptions
/// and the rounding direction go to the [X87Environment]; after an exception that is unmasked and found before the
/// computation, no result is written. Operands with an exponent but without integer bit (unnormals,
/// pseudo-infinities, pseudo-NaNs) are invalid; pseudo-denormals count as denormals.
public final class Fp80 {
    static final int BIAS = 16383;
    static final int MAX = 0x7FFF;
    static final long TOP = Long.MIN_VALUE;
    static final long QUIET = 0x4000_0000_0000_0000L;
    static final int C0 = 1 << 8;
    static final int C1 = 1 << 9;
    static final int C2 = 1 << 10;
    static final int C3 = 1 << 14;

    /// How far an unmasked overflow or underflow moves the exponent of the result.
    static final int WRAP = 24576;

    private Fp80() {}

    static boolean isUnsupported(long sig, int se) {
        return sig >= 0 && (se & MAX) != 0;
    }

    static boolean isNaN(long sig, int se) {
        return (se & MAX) == MAX && sig << 1 != 0;
    }

    static boolean isSignaling(long sig, int se) {
        return isNaN(sig, se) && (sig & QUIET) == 0;
    }

    static boolean isInfinite(long sig, int se) {
        return (se & MAX) == MAX && sig == TOP;
    }

    static boolean isZero(long sig, int se) {
        return sig == 0 && (se & MAX) == 0;
    }

    static boolean isDenormal(long sig, int se) {
        return (se & MAX) == 0 && sig != 0;
    }

    static boolean isNegative(int se) {
        return (se & 0x8000) != 0;
    }

    /// Biased exponent of a finite number once its significand has been normalised.
    static int exponent(long sig, int se) {
        int e = se & MAX;
        return e != 0 ? e : 1 - Long.numberOfLeadingZeros(sig);
    }

    static long normalised(long sig, int se) {
        return (se & MAX) != 0 ? sig : sig << Long.numberOfLeadingZeros(sig);
    }

    /// Neither zero nor denormal nor infinite nor NaN nor unsupported.
    static boolean isNormal(long sig, int se) {
        return sig < 0 && (se + 1 & MAX) > 1;
    }

    /// Answers an invalid operation.
    static void invalid(X87Environment e) {
        e.raise(IE);
        e.resultIndefinite();
    }

    /// Deals with unsupported operands and NaNs; whether there was one and the result is complete.
    static boolean special(X87Environment e, long as, int ae, long bs, int be) {
        if (isUnsupported(as, ae) || isUnsupported(bs, be)) {
            invalid(e);
            return true;
        }
        boolean aNaN = isNaN(as, ae);
        boolean bNaN = isNaN(bs, be);
        if (!aNaN && !bNaN) {
            return false;
        }
        boolean aSignals = isSignaling(as, ae);
        boolean bSignals = isSignaling(bs, be);
        if (aSignals || bSignals) {
            e.raise(IE);
        }
        boolean first;
        if (!aNaN || !bNaN) {
            first = aNaN;
        } else if (aSignals != bSignals) {
            first = bSignals;
        } else {
            // The larger significand wins, among equal ones the positive sign.
            int c = Long.compareUnsigned(as, bs);
            first = c > 0 || c == 0 && !isNegative(ae);
        }
        if (first) {
            e.result(as | QUIET, ae);
        } else {
            e.result(bs | QUIET, be);
        }
        return true;
    }

    /// As [#special] for one operand.
    static boolean special(X87Environment e, long sig, int se) {
        if (isUnsupported(sig, se)) {
            invalid(e);
            return true;
        }
        if (!isNaN(sig, se)) {
            return false;
        }
        if ((sig & QUIET) == 0) {
            e.raise(IE);
        }
        e.result(sig | QUIET, se);
        return true;
    }

    /// Addition.
    public static void add(X87Environment e, long as, int ae, long bs, int be) {
        addSigned(e, as, ae, bs, be, 0);
    }

    /// Subtraction `a - b`.
    public static void sub(X87Environment e, long as, int ae, long bs, int be) {
        addSigned(e, as, ae, bs, be, 0x8000);
    }

    private static void addSigned(X87Environment e, long as, int ae, long bs, int be0, int flip) {
        int be = be0;
        if (!isNormal(as, ae) || !isNormal(bs, be)) {
            if (special(e, as, ae, bs, be)) {
                return;
            }
            be ^= flip;
            if (isInfinite(as, ae) && isInfinite(bs, be) && ae != be) {
                invalid(e);
                return;
            }
            if ((isDenormal(as, ae) || isDenormal(bs, be)) && e.stops(DE)) {
                return;
            }
            if (isInfinite(as, ae)) {
                e.result(as, ae);
                return;
            }
            if (isInfinite(bs, be)) {
                e.result(bs, be);
                return;
            }
            if (as == 0 && bs == 0) {
                e.result(0, ae == be ? ae : e.rounding == DOWN ? 0x8000 : 0);
                return;
            }
            if (as == 0 || bs == 0) {
                long sig = as | bs;
                int se = as == 0 ? be : ae;
                round(e, isNegative(se), exponent(sig, se), normalised(sig, se), 0, e.precision);
                return;
            }
        } else {
            be ^= flip;
        }
        int ax = Math.max(ae & MAX, 1);
        int bx = Math.max(be & MAX, 1);
        boolean negative = isNegative(ae);
        long high = as;
        long small = bs;
        if (ax < bx || ax == bx && Long.compareUnsigned(as, bs) < 0) {
            high = bs;
            small = as;
            negative = isNegative(be);
        }
        int x = Math.max(ax, bx);
        int distance = Math.abs(ax - bx);
        long smallHigh = Wide.shiftRightHigh(small, distance);
        long low = Wide.shiftRightLowJam(small, 0, distance);
        if (((ae ^ be) & 0x8000) == 0) {
            high += smallHigh;
            if (Long.compareUnsigned(high, smallHigh) < 0) {
                low = high << 63 | low >>> 1 | low & 1;
                high = high >>> 1 | TOP;
                x++;
            }
        } else {
            high -= smallHigh;
            if (low != 0) {
                high--;
                low = -low;
            }
            if ((high | low) == 0) {
                e.result(0, e.rounding == DOWN ? 0x8000 : 0);
                return;
            }
        }
        if (high >= 0) {
            int zeros = high != 0 ? Long.numberOfLeadingZeros(high) : 64 + Long.numberOfLeadingZeros(low);
            if (zeros < 64) {
                high = high << zeros | low >>> -zeros;
                low <<= zeros;
            } else {
                high = low << zeros;
                low = 0;
            }
            x -= zeros;
        }
        round(e, negative, x, high, low, e.precision);
    }

    /// Multiplication.
    public static void mul(X87Environment e, long as, int ae, long bs, int be) {
        int sign = (ae ^ be) & 0x8000;
        int x = (ae & MAX) + (be & MAX);
        long a = as;
        long b = bs;
        if (!isNormal(as, ae) || !isNormal(bs, be)) {
            if (special(e, as, ae, bs, be)) {
                return;
            }
            boolean infinite = isInfinite(as, ae) || isInfinite(bs, be);
            boolean zero = as == 0 || bs == 0;
            if (infinite && zero) {
                invalid(e);
                return;
            }
            if ((isDenormal(as, ae) || isDenormal(bs, be)) && e.stops(DE)) {
                return;
            }
            if (infinite) {
                e.result(TOP, sign | MAX);
                return;
            }
            if (zero) {
                e.result(0, sign);
                return;
            }
            x = exponent(as, ae) + exponent(bs, be);
            a = normalised(as, ae);
            b = normalised(bs, be);
        }
        long high = Math.unsignedMultiplyHigh(a, b);
        long low = a * b;
        x -= BIAS - 1;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            x--;
        }
        round(e, sign != 0, x, high, low, e.precision);
    }

    /// Division `a / b`.
    public static void div(X87Environment e, long as, int ae, long bs, int be) {
        int sign = (ae ^ be) & 0x8000;
        int x = (ae & MAX) - (be & MAX);
        long a = as;
        long b = bs;
        if (!isNormal(as, ae) || !isNormal(bs, be)) {
            if (special(e, as, ae, bs, be)) {
                return;
            }
            boolean aInfinite = isInfinite(as, ae);
            boolean bInfinite = isInfinite(bs, be);
            if (aInfinite && bInfinite || as == 0 && bs == 0) {
                invalid(e);
                return;
            }
            if (bs == 0 && !aInfinite) {
                e.raise(ZE);
                e.result(TOP, sign | MAX);
                return;
            }
            if ((isDenormal(as, ae) || isDenormal(bs, be)) && e.stops(DE)) {
                return;
            }
            if (aInfinite) {
                e.result(TOP, sign | MAX);
                return;
            }
            if (bInfinite || as == 0) {
                e.result(0, sign);
                return;
            }
            x = exponent(as, ae) - exponent(bs, be);
            a = normalised(as, ae);
            b = normalised(bs, be);
        }
        x += BIAS;
        long q;
        long rest;
        if (Long.compareUnsigned(a, b) < 0) {
            q = Wide.divide(a, 0, b);
            rest = -q * b;
            x--;
        } else {
            q = Wide.divide(a >>> 1, a << 63, b);
            rest = (a << 63) - q * b;
        }
        long low = 0;
        if (rest != 0) {
            int half = Long.compareUnsigned(rest, b - rest);
            low = (half >= 0 ? TOP : 0) | (half == 0 ? 0 : 1);
        }
        round(e, sign != 0, x, q, low, e.precision);
    }

    /// Square root.
    public static void sqrt(X87Environment e, long sig, int se) {
        if (special(e, sig, se)) {
            return;
        }
        if (sig == 0) {
            e.result(0, se);
            return;
        }
        if (isNegative(se)) {
            invalid(e);
            return;
        }
        if (isDenormal(sig, se) && e.stops(DE)) {
            return;
        }
        if (isInfinite(sig, se)) {
            e.result(sig, se);
            return;
        }
        long a = normalised(sig, se);
        int x = exponent(sig, se) - BIAS;
        boolean odd = (x & 1) != 0;
        long high = odd ? a : a >>> 1;
        long low = odd ? 0 : a << 63;
        long root = Wide.sqrt(high, low);
        long borrow = Long.compareUnsigned(low, root * root) < 0 ? 1 : 0;
        long restHigh = high - Math.unsignedMultiplyHigh(root, root) - borrow;
        long restLow = low - root * root;
        long tail = 0;
        if ((restHigh | restLow) != 0) {
            // (root + 1/2)^2 exceeds root^2 by root + 1/4: never an exact half.
            tail = restHigh != 0 || Long.compareUnsigned(restLow, root) > 0 ? TOP | 1 : 1;
        }
        round(e, false, (x >> 1) + BIAS, root, tail, e.precision);
    }

    /// Compares into C0, C2, C3 of the environment: less C0, equal C3, unordered all three.
    ///
    /// @param quiet whether a quiet NaN raises no exception (FUCOM)
    public static void compare(X87Environment e, long as, int ae, long bs, int be, boolean quiet) {
        boolean unsupported = isUnsupported(as, ae) || isUnsupported(bs, be);
        if (unsupported || isNaN(as, ae) || isNaN(bs, be)) {
            if (unsupported || !quiet || isSignaling(as, ae) || isSignaling(bs, be)) {
                e.raise(IE);
            }
            e.conditions = C0 | C2 | C3;
            return;
        }
        if (isDenormal(as, ae) || isDenormal(bs, be)) {
            e.raise(DE);
        }
        e.conditions = order(as, ae, bs, be);
    }

    private static int order(long as, int ae, long bs, int be) {
        if (as == 0 && bs == 0) {
            return C3;
        }
        if (isNegative(ae) != isNegative(be)) {
            return isNegative(ae) ? C0 : 0;
        }
        int c = Integer.compare(Math.max(ae & MAX, 1), Math.max(be & MAX, 1));
        if (c == 0) {
            c = Long.compareUnsigned(as, bs);
        } else if (as == 0 || bs == 0) {
            c = as == 0 ? -1 : 1;
        }
        return c == 0 ? C3 : c < 0 != isNegative(ae) ? C0 : 0;
    }

    /// FXAM's class of a value, in C0, C2, C3.
    static int examine(long sig, int se) {
        if (isUnsupported(sig, se)) {
            return 0;
        }
        if ((se & MAX) == MAX) {
            return sig == TOP ? C2 | C0 : C0;
        }
        if ((se & MAX) == 0) {
            return sig == 0 ? C3 : C3 | C2;
        }
        return C2;
    }

    /// Rounds `high.low * 2^(exponent - BIAS)`, `high` with bit 63 set, and writes the result.
    static void round(X87Environment e, boolean negative, int exponent, long high, long low, int precision) {
        int x = exponent;
        long h = high;
        long l = low;
        boolean tiny = false;
        if (x <= 0) {
            tiny = x < 0 || !carries(e, negative, h, l, precision);
            if (tiny) {
                if (!e.masked(UE)) {
                    e.raised |= UE;
                    x += WRAP;
                    tiny = false;
                } else {
                    int shift = 1 - x;
                    l = Wide.shiftRightLowJam(h, l, shift);
                    h = Wide.shiftRightHigh(h, shift);
                    x = 0;
                }
            }
        }
        int unit = 64 - precision;
        boolean inexact;
        boolean up;
        if (unit == 0) {
            inexact = l != 0;
            up = inexact && e.increments(negative, (h & 1) != 0, l < 0, l << 1 != 0);
        } else {
            inexact = (h << 64 - unit | l) != 0;
            up = inexact && increments(e, negative, h, l, unit);
            h = h >>> unit << unit;
        }
        if (inexact) {
            e.raised |= tiny ? PE | UE : PE;
            if (up) {
                e.roundedUp = true;
                h += 1L << unit;
                if (h == 0) {
                    h = TOP;
                    x++;
                } else if (tiny && h < 0) {
                    x = 1;
                }
            }
        }
        if (x >= MAX) {
            overflow(e, negative, x, h, precision);
            return;
        }
        e.result(h, (negative ? 0x8000 : 0) | x);
    }

    private static void overflow(X87Environment e, boolean negative, int x, long sig, int precision) {
        e.raised |= OE;
        int sign = negative ? 0x8000 : 0;
        if (!e.masked(OE)) {
            e.result(sig, sign | x - WRAP & MAX);
            return;
        }
        e.raised |= PE;
        e.roundedUp = e.overflowsToInfinity(negative);
        if (e.roundedUp) {
            e.result(TOP, sign | MAX);
        } else {
            e.result(-1L << 64 - precision, sign | MAX - 1);
        }
    }

    private static boolean increments(X87Environment e, boolean negative, long h, long l, int unit) {
        return e.increments(negative, (h >>> unit & 1) != 0, (h >>> unit - 1 & 1) != 0, (h << 65 - unit | l) != 0);
    }

    private static boolean carries(X87Environment e, boolean negative, long h, long l, int precision) {
        int unit = 64 - precision;
        if (h >>> unit != -1L >>> unit) {
            return false;
        }
        return unit == 0 ? e.increments(negative, true, l < 0, l << 1 != 0) : increments(e, negative, h, l, unit);
    }
}
