package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.Fp80.BIAS;
import static org.jvirt.engine.soft.fp.Fp80.C2;
import static org.jvirt.engine.soft.fp.Fp80.MAX;
import static org.jvirt.engine.soft.fp.Fp80.TOP;
import static org.jvirt.engine.soft.fp.Fp80.exponent;
import static org.jvirt.engine.soft.fp.Fp80.isDenormal;
import static org.jvirt.engine.soft.fp.Fp80.isInfinite;
import static org.jvirt.engine.soft.fp.Fp80.isNegative;
import static org.jvirt.engine.soft.fp.Fp80.normalised;
import static org.jvirt.engine.soft.fp.FpEnvironment.DE;

/// FSIN, FCOS, FSINCOS, FPTAN and FPATAN, by series in 128-bit fixed point.
///
/// Arguments are reduced with the processor's pi of 66 bits, 0xC90FDAA22168C234.C, and that reduction is exact: so
/// near multiples of pi the result is the processor's, not that of mathematics.
final class Fp80Trigonometry {
    /// The 66 bits of pi: pi/2 is this integer times 2^-65.
    private static final long PI_HIGH = 3;

    private static final long PI_LOW = 0x243F_6A88_85A3_08D3L;

    /// Its leading 64 bits, one more in the last place.
    private static final long PI_ESTIMATE = 0xC90F_DAA2_2168_C235L;

    /// pi and pi/4 for results, scale 2^-126 and 2^-128.
    private static final long PI4_HIGH = 0xC90F_DAA2_2168_C234L;

    private static final long PI4_LOW = 0xC4C6_628B_80DC_1CD1L;

    /// atan(k/8), scale 2^-128, high and low halves in turn.
    private static final long[] ARCTANGENTS = {
        0,
        0,
        0x1FD5_BA9A_AC2F_6DC6L,
        0x5912_F313_E7D1_11DEL,
        0x3EB6_EBF2_5901_BAC5L,
        0x5B71_E7BD_7DE8_85F9L,
        0x5BD8_6507_937B_C239L,
        0xC551_9091_6E7F_2241L,
        0x76B1_9C15_86ED_3DA2L,
        0xB7F2_22F6_5E1D_4681L,
        0x8F00_5D5E_F7F5_9F9BL,
        0x5C83_5E16_65C4_3747L,
        0xA4BC_7D19_34F7_0924L,
        0x19A8_7F2A_457D_AC9EL,
        0xB805_3E2B_C231_9E73L,
        0xCB2D_A552_10A4_443DL,
        PI4_HIGH,
        PI4_LOW
    };

    /// 1/(2k+1)!, 1/(2k)! and 1/(2k+1)
    private static final long[] SINE = Fixed128.quotients(16, k -> 2L * k * (2L * k + 1));

    private static final long[] COSINE = Fixed128.quotients(16, k -> 2L * k * (2L * k - 1));
    private static final long[] ARCTANGENT = Fixed128.oddReciprocals(16);

    private Fp80Trigonometry() {}

    /// Sine into the result.
    static void fsin(X87Environment e, long sig, int se) {
        if (isZeroOrSpecial(e, sig, se)) {
            return;
        }
        int quadrant = reduce(e, sig, se);
        circular(e, quadrant, isNegative(se));
    }

    /// Cosine into the result.
    static void fcos(X87Environment e, long sig, int se) {
        if (sig == 0 && (se & MAX) == 0) {
            e.result(TOP, BIAS);
            return;
        }
        if (isZeroOrSpecial(e, sig, se)) {
            return;
        }
        int quadrant = reduce(e, sig, se);
        circular(e, quadrant + 1, false);
    }

    /// Sine into the result, cosine into the one to be pushed.
    static void fsincos(X87Environment e, long sig, int se) {
        fcos(e, sig, se);
        e.pushedSignificand = e.significand;
        e.pushedSignExponent = e.signExponent;
        if ((e.conditions & C2) == 0 && !e.noResult()) {
            fsin(e, sig, se);
        }
    }

    /// Tangent into the result, 1.0 into the one to be pushed.
    static void fptan(X87Environment e, long sig, int se) {
        e.pushedSignificand = TOP;
        e.pushedSignExponent = BIAS;
        if (isZeroOrSpecial(e, sig, se)) {
            if (Fp80.isNaN(e.significand, e.signExponent)) {
                e.pushedSignificand = e.significand;
                e.pushedSignExponent = e.signExponent;
            }
            return;
        }
        int quadrant = reduce(e, sig, se);
        boolean negative = isNegative(se) != e.reducedNegative != ((quadrant & 1) != 0);
        Fixed128 f = e.fixed;
        if (e.reducedScale < -60 && (quadrant & 1) == 0) {
            // The tangent exceeds its argument by less than the series can tell.
            f.set(e.reducedHigh, e.reducedLow);
            finish(e, negative, e.reducedScale);
            return;
        }
        int dividendScale = (quadrant & 1) == 0 ? sine(e) : cosine(e);
        long high = f.hi;
        long low = f.lo;
        int divisorScale = (quadrant & 1) == 0 ? cosine(e) : sine(e);
        f.reciprocal();
        f.multiply(high, low);
        // The divisor is in [1, 2) with scale 2^(divisorScale-1).
        int scale = dividendScale - divisorScale + 1 - f.normalise();
        finish(e, negative, scale);
    }

    private static boolean isZeroOrSpecial(X87Environment e, long sig, int se) {
        if (Fp80.special(e, sig, se)) {
            return true;
        }
        if (sig == 0) {
            e.result(sig, se);
            return true;
        }
        if (isInfinite(sig, se)) {
            Fp80.invalid(e);
            return true;
        }
        if ((se & MAX) >= BIAS + 63) {
            e.conditions = C2;
            e.result(sig, se);
            return true;
        }
        return isDenormal(sig, se) && e.stops(DE);
    }

    /// Reduces |x| to r in [-pi/4, pi/4]; |r| goes to the environment, normalised, with its scale and sign.
    ///
    /// @return the quadrant, modulo 4
    private static int reduce(X87Environment e, long sig, int se) {
        int x = exponent(sig, se) - BIAS;
        long a = normalised(sig, se);
        Fixed128 f = e.fixed;
        if (x < -1) {
            e.reducedHigh = a;
            e.reducedLow = 0;
            e.reducedScale = x + 1;
            e.reducedNegative = false;
            return 0;
        }
        // |x| = v 2^-65; the quotient's estimate is low by two at most.
        int shift = x + 2;
        long high = Wide.shiftRightHigh(a, 64 - shift);
        long low = a << shift;
        if (shift == 64) {
            high = a;
            low = 0;
        }
        long n = Wide.divide(high >>> 2, high << 62 | low >>> 2, PI_ESTIMATE);
        f.set(Math.unsignedMultiplyHigh(n, PI_LOW) + n * PI_HIGH, n * PI_LOW);
        f.subtractFrom(high, low);
        while (f.hi > PI_HIGH || f.hi == PI_HIGH && Long.compareUnsigned(f.lo, PI_LOW) >= 0) {
            f.add(~PI_HIGH, -PI_LOW);
            n++;
        }
        // Half of the odd modulus cannot be hit: compare 2r with it.
        long doubled = f.hi << 1 | f.lo >>> 63;
        e.reducedNegative = doubled > PI_HIGH || doubled == PI_HIGH && Long.compareUnsigned(f.lo << 1, PI_LOW) >= 0;
        if (e.reducedNegative) {
            f.subtractFrom(PI_HIGH, PI_LOW);
            n++;
        }
        e.reducedScale = 63 - f.normalise();
        e.reducedHigh = f.hi;
        e.reducedLow = f.lo;
        return (int) n & 3;
    }

    /// `sin(r + quadrant pi/2)`, negated on demand.
    private static void circular(X87Environment e, int quadrant, boolean negate) {
        boolean negative = negate != ((quadrant & 2) != 0);
        if ((quadrant & 1) == 0) {
            int scale = sine(e);
            finish(e, negative != e.reducedNegative, scale);
        } else {
            int scale = cosine(e);
            finish(e, negative, scale);
        }
    }

    private static void finish(X87Environment e, boolean negative, int scale) {
        Fp80.round(e, negative, scale - 1 + BIAS, e.fixed.hi, e.fixed.lo | 1, 64);
    }

    /// |sin r|, normalised; returns the scale.
    private static int sine(X87Environment e) {
        Fixed128 f = e.fixed;
        square(e);
        f.series(SINE, e.reducedScale < -16 ? 4 : e.reducedScale < -4 ? 9 : 16, f.hi, f.lo, true);
        belowOne(f);
        f.multiply(e.reducedHigh, e.reducedLow);
        return e.reducedScale + 1 - f.normalise();
    }

    /// cos r, normalised; returns the scale.
    private static int cosine(X87Environment e) {
        Fixed128 f = e.fixed;
        square(e);
        f.series(COSINE, e.reducedScale < -16 ? 4 : e.reducedScale < -4 ? 9 : 16, f.hi, f.lo, true);
        belowOne(f);
        return 1 - f.normalise();
    }

    private static void square(X87Environment e) {
        Fixed128 f = e.fixed;
        f.set(e.reducedHigh, e.reducedLow);
        f.multiply(e.reducedHigh, e.reducedLow);
        f.shiftRight(-2 * e.reducedScale);
    }

    /// A series that is less than one by less than the last place must still round as such.
    private static void belowOne(Fixed128 f) {
        if (f.hi == TOP && f.lo == 0) {
            f.set(~TOP, -1L);
        }
    }

    /// `arctan(y / x)` in the quadrant of the point (x, y).
    static void fpatan(X87Environment e, long xs, int xe, long ys, int ye) {
        if (Fp80.special(e, ys, ye, xs, xe)) {
            return;
        }
        if ((isDenormal(xs, xe) || isDenormal(ys, ye)) && e.stops(DE)) {
            return;
        }
        boolean left = isNegative(xe);
        boolean negative = isNegative(ye);
        boolean xInfinite = isInfinite(xs, xe);
        boolean yInfinite = isInfinite(ys, ye);
        Fixed128 f = e.fixed;
        if (ys == 0 || xInfinite && !yInfinite) {
            if (left) {
                f.set(PI4_HIGH, PI4_LOW);
                finish(e, negative, 2);
            } else {
                e.result(0, ye & 0x8000);
            }
            return;
        }
        if (xs == 0 || yInfinite) {
            f.set(PI4_HIGH, PI4_LOW);
            if (!xInfinite) {
                finish(e, negative, 1);
            } else if (left) {
                f.shiftRight(1);
                f.add(PI4_HIGH >>> 2, PI4_HIGH << 62 | PI4_LOW >>> 2);
                finish(e, negative, 2 - f.normalise());
            } else {
                finish(e, negative, 0);
            }
            return;
        }
        long a = normalised(ys, ye);
        long b = normalised(xs, xe);
        int scale = exponent(ys, ye) - exponent(xs, xe);
        boolean steep = scale > 0 || scale == 0 && Long.compareUnsigned(a, b) > 0;
        if (steep) {
            long swap = a;
            a = b;
            b = swap;
            scale = -scale;
        }
        ratio(f, a, b);
        scale += 1 - f.normalise();
        scale = arctangent(f, scale);
        // The angle is now f 2^(scale-128) from the nearest axis; sums have scale 2^-126.
        if (steep) {
            f.shiftRight(2 - scale);
            if (left) {
                f.add(PI4_HIGH >>> 1, PI4_HIGH << 63 | PI4_LOW >>> 1);
            } else {
                f.subtractFrom(PI4_HIGH >>> 1, PI4_HIGH << 63 | PI4_LOW >>> 1);
            }
            scale = 2 - f.normalise();
        } else if (left) {
            f.shiftRight(2 - scale);
            f.subtractFrom(PI4_HIGH, PI4_LOW);
            scale = 2 - f.normalise();
        }
        finish(e, negative, scale);
    }

    /// a / b with scale 2^-127; both have their top bit set.
    private static void ratio(Fixed128 f, long a, long b) {
        long q = 0;
        long rest = a;
        if (Long.compareUnsigned(a, b) >= 0) {
            q = 1;
            rest -= b;
        }
        long q1 = Wide.divide(rest, 0, b);
        long q2 = Wide.divide(-q1 * b, 0, b);
        f.set(q << 63 | q1 >>> 1, q1 << 63 | q2 >>> 1);
    }

    /// Replaces r, 0 < r <= 1, by its arctangent, both normalised and times 2^(scale-128); returns the new scale.
    private static int arctangent(Fixed128 f, int scale) {
        if (scale == 1) {
            f.set(PI4_HIGH, PI4_LOW);
            return 0;
        }
        if (scale < -4) {
            return alternating(f, scale);
        }
        // arctan r = arctan c + arctan t with c = k/8 next to r and t = (r-c)/(1+rc).
        long rh = f.hi;
        long rl = f.lo;
        f.shiftRight(-scale);
        long fixedHigh = f.hi;
        long fixedLow = f.lo;
        int k = (int) ((fixedHigh >>> 60) + 1 >>> 1);
        if (k == 0) {
            f.set(rh, rl);
            return alternating(f, scale);
        }
        long c = (long) k << 61;
        boolean below = k == 8 || Long.compareUnsigned(fixedHigh, c) < 0;
        if (below) {
            f.subtractFrom(c, 0);
        } else {
            f.add(-c, 0);
        }
        if ((f.hi | f.lo) == 0) {
            f.set(ARCTANGENTS[2 * k], ARCTANGENTS[2 * k + 1]);
            return -f.normalise();
        }
        int distanceScale = -f.normalise();
        long distanceHigh = f.hi;
        long distanceLow = f.lo;
        f.set(fixedHigh, fixedLow);
        if (k < 8) {
            f.multiply(c, 0);
        }
        f.shiftRight(1);
        f.add(TOP, 0);
        f.reciprocal();
        f.multiply(distanceHigh, distanceLow);
        int tScale = alternating(f, distanceScale - f.normalise());
        f.shiftRight(-tScale);
        if (below) {
            f.subtractFrom(ARCTANGENTS[2 * k], ARCTANGENTS[2 * k + 1]);
        } else {
            f.add(ARCTANGENTS[2 * k], ARCTANGENTS[2 * k + 1]);
        }
        return -f.normalise();
    }

    /// The arctangent's series, for |r| <= 1/16.
    private static int alternating(Fixed128 f, int scale) {
        long rh = f.hi;
        long rl = f.lo;
        f.multiply(rh, rl);
        f.shiftRight(-2 * scale);
        f.series(ARCTANGENT, scale < -16 ? 4 : 16, f.hi, f.lo, true);
        belowOne(f);
        f.multiply(rh, rl);
        return scale + 1 - f.normalise();
    }
}
