package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.Fp80.BIAS;
import static org.jvirt.engine.soft.fp.Fp80.C0;
import static org.jvirt.engine.soft.fp.Fp80.C1;
import static org.jvirt.engine.soft.fp.Fp80.C2;
import static org.jvirt.engine.soft.fp.Fp80.C3;
import static org.jvirt.engine.soft.fp.Fp80.MAX;
import static org.jvirt.engine.soft.fp.Fp80.TOP;
import static org.jvirt.engine.soft.fp.Fp80.exponent;
import static org.jvirt.engine.soft.fp.Fp80.isDenormal;
import static org.jvirt.engine.soft.fp.Fp80.isInfinite;
import static org.jvirt.engine.soft.fp.Fp80.isNegative;
import static org.jvirt.engine.soft.fp.Fp80.normalised;
import static org.jvirt.engine.soft.fp.FpEnvironment.DE;
import static org.jvirt.engine.soft.fp.FpEnvironment.OE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PE;
import static org.jvirt.engine.soft.fp.FpEnvironment.UE;
import static org.jvirt.engine.soft.fp.FpEnvironment.ZE;

/// The x87 operations that take numbers apart: partial remainder, rounding to an integer, scaling, extraction.
final class Fp80Remainder {
    /// Greatest power of two by which FSCALE can move a number without leaving the range for good.
    private static final int SCALE_LIMIT = 0x1_0000;

    private Fp80Remainder() {}

    /// FPREM (`nearest` false) and FPREM1: reduces by at most 63 powers of two at a time, with the quotient's three
    /// last bits in C0, C3, C1 once the reduction is complete, and C2 set while it is not.
    ///
    /// @return whether the condition bits are defined: not after NaNs and invalid operands
    static boolean remainder(X87Environment e, long as, int ae, long bs, int be, boolean nearest) {
        if (Fp80.special(e, as, ae, bs, be)) {
            return false;
        }
        if (isInfinite(as, ae) || bs == 0) {
            Fp80.invalid(e);
            return false;
        }
        if ((isDenormal(as, ae) || isDenormal(bs, be)) && e.stops(DE)) {
            return false;
        }
        if (as == 0 || isInfinite(bs, be)) {
            copy(e, as, ae);
            return true;
        }
        boolean negative = isNegative(ae);
        long a = normalised(as, ae);
        long b = normalised(bs, be);
        int x = exponent(bs, be);
        int distance = exponent(as, ae) - x;
        if (distance < -1 || distance < 0 && !nearest) {
            copy(e, as, ae);
            return true;
        }
        if (distance == -1) {
            // 1/4 < a/b < 1: nearest quotient is 0 or 1, and 2b - a cannot overflow when a > b.
            if (Long.compareUnsigned(a, b) <= 0) {
                copy(e, as, ae);
            } else {
                e.conditions = C1;
                finish(e, !negative, x - 1, b - (a - b));
            }
            return true;
        }
        if (distance >= 64) {
            partial(e, negative, a, b, x, distance);
            return true;
        }
        long q = 0;
        long r = a;
        if (Long.compareUnsigned(r, b) >= 0) {
            r -= b;
            q = 1;
        }
        if (distance > 0) {
            long low = r << distance;
            long digit = Wide.divide(r >>> -distance, low, b);
            r = low - digit * b;
            q = (q << distance) + digit;
        }
        if (nearest && r != 0) {
            int c = Long.compareUnsigned(r, b - r);
            if (c > 0 || c == 0 && (q & 1) != 0) {
                r = b - r;
                negative = !negative;
                q++;
            }
        }
        e.conditions = ((q & 1) != 0 ? C1 : 0) | ((q & 2) != 0 ? C3 : 0) | ((q & 4) != 0 ? C0 : 0);
        finish(e, negative, x, r);
        return true;
    }

    private static void partial(X87Environment e, boolean negative, long a, long b, int x, int distance) {
        int n = 32 + (distance & 31);
        long r = Long.compareUnsigned(a, b) >= 0 ? a - b : a;
        long low = r << n;
        r = low - Wide.divide(r >>> -n, low, b) * b;
        e.conditions = C2;
        finish(e, negative, x + distance - n, r);
    }

    private static void copy(X87Environment e, long sig, int se) {
        if (sig == 0) {
            e.result(0, se);
        } else {
            Fp80.round(e, isNegative(se), exponent(sig, se), normalised(sig, se), 0, 64);
        }
    }

    private static void finish(X87Environment e, boolean negative, int x, long r) {
        if (r == 0) {
            e.result(0, negative ? 0x8000 : 0);
        } else {
            int zeros = Long.numberOfLeadingZeros(r);
            Fp80.round(e, negative, x - zeros, r << zeros, 0, 64);
        }
    }

    /// FRNDINT.
    static void roundToInteger(X87Environment e, long sig, int se) {
        if (Fp80.special(e, sig, se)) {
            return;
        }
        if (isDenormal(sig, se) && e.stops(DE)) {
            return;
        }
        int x = (se & MAX) - BIAS;
        if (x >= 63 || sig == 0) {
            e.result(sig, se);
            return;
        }
        boolean negative = isNegative(se);
        if (x < 0) {
            e.raise(PE);
            e.roundedUp = e.increments(negative, false, x == -1, x < -1 || sig << 1 != 0);
            if (e.roundedUp) {
                e.result(TOP, se & 0x8000 | BIAS);
            } else {
                e.result(0, se & 0x8000);
            }
            return;
        }
        int unit = 63 - x;
        long kept = sig >>> unit << unit;
        int exponent = se;
        if (kept != sig) {
            e.raise(PE);
            boolean odd = (sig >>> unit & 1) != 0;
            boolean guard = (sig >>> unit - 1 & 1) != 0;
            if (e.increments(negative, odd, guard, sig << 64 - unit << 1 != 0)) {
                e.roundedUp = true;
                kept += 1L << unit;
                if (kept == 0) {
                    kept = TOP;
                    exponent++;
                }
            }
        }
        e.result(kept, exponent);
    }

    /// FSCALE: `a * 2^truncate(b)`.
    static void scale(X87Environment e, long as, int ae, long bs, int be) {
        if (Fp80.special(e, as, ae, bs, be)) {
            return;
        }
        boolean down = isNegative(be);
        if (isInfinite(bs, be) && (down ? isInfinite(as, ae) : as == 0)) {
            Fp80.invalid(e);
            return;
        }
        if ((isDenormal(as, ae) || isDenormal(bs, be)) && e.stops(DE)) {
            return;
        }
        if (isInfinite(as, ae) || as == 0) {
            e.result(as, ae);
            return;
        }
        if (isInfinite(bs, be)) {
            if (down) {
                e.result(0, ae & 0x8000);
            } else {
                e.result(TOP, ae & 0x8000 | MAX);
            }
            return;
        }
        int bx = (be & MAX) - BIAS;
        int n = bx < 0 ? 0 : bx > 15 ? SCALE_LIMIT : (int) (bs >>> 63 - bx);
        int x = exponent(as, ae) + (down ? -n : n);
        if (x - Fp80.WRAP >= MAX && !e.masked(OE)) {
            // Too large even for the wrapped exponent that tells an exception handler the true value.
            e.raise(OE | PE);
            e.roundedUp = true;
            e.result(TOP, ae & 0x8000 | MAX);
        } else if (x + Fp80.WRAP <= 0 && !e.masked(UE)) {
            e.raise(UE | PE);
            e.result(0, ae & 0x8000);
        } else {
            Fp80.round(e, isNegative(ae), x, normalised(as, ae), 0, 64);
        }
    }

    /// FXTRACT: the exponent as a number, and to be pushed the significand with exponent 0.
    static void extract(X87Environment e, long sig, int se) {
        if (Fp80.special(e, sig, se)) {
            e.pushedSignificand = e.significand;
            e.pushedSignExponent = e.signExponent;
            return;
        }
        if (isDenormal(sig, se) && e.stops(DE)) {
            return;
        }
        e.pushedSignificand = sig;
        e.pushedSignExponent = se;
        if (sig == 0) {
            e.raise(ZE);
            e.result(TOP, 0x8000 | MAX);
        } else if (isInfinite(sig, se)) {
            e.result(TOP, MAX);
        } else {
            Fp80Convert.fromInteger(e, exponent(sig, se) - BIAS);
            e.pushedSignificand = normalised(sig, se);
            e.pushedSignExponent = se & 0x8000 | BIAS;
        }
    }
}
