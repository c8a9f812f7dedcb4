package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.Fp80.BIAS;
import static org.jvirt.engine.soft.fp.Fp80.MAX;
import static org.jvirt.engine.soft.fp.Fp80.TOP;
import static org.jvirt.engine.soft.fp.Fp80.exponent;
import static org.jvirt.engine.soft.fp.Fp80.isDenormal;
import static org.jvirt.engine.soft.fp.Fp80.isInfinite;
import static org.jvirt.engine.soft.fp.Fp80.isNegative;
import static org.jvirt.engine.soft.fp.Fp80.normalised;
import static org.jvirt.engine.soft.fp.FpEnvironment.DE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PE;
import static org.jvirt.engine.soft.fp.FpEnvironment.UE;
import static org.jvirt.engine.soft.fp.FpEnvironment.ZE;

/// F2XM1, FYL2X and FYL2XP1, by series in 128-bit fixed point: the error before rounding is below 2^-100, so the
/// result is the correctly rounded one but for the rarest cases.
final class Fp80Exponential {
    private static final long LN2_HIGH = 0xB172_17F7_D1CF_79ABL;
    private static final long LN2_LOW = 0xC9E3_B398_03F2_F6AFL;

    /// 2 / ln 2, scale 2^-126.
    private static final long TWO_BY_LN2_HIGH = 0xB8AA_3B29_5C17_F0BBL;

    private static final long TWO_BY_LN2_LOW = 0xBE87_FED0_691D_3E88L;

    /// Significand of the square root of two.
    private static final long ROOT2 = 0xB504_F333_F9DE_6484L;

    /// 1/(k+1)!
    private static final long[] EXPONENTIAL = Fixed128.quotients(26, k -> k + 1L);

    /// 1/(2k+1)
    private static final long[] ARTANH = Fixed128.oddReciprocals(22);

    private Fp80Exponential() {}

    /// `2^x - 1` for -1 <= x <= 1; beyond that, where the manual leaves the result open, x itself.
    static void f2xm1(X87Environment e, long sig, int se) {
        if (Fp80.special(e, sig, se)) {
            return;
        }
        if (isDenormal(sig, se) && e.stops(DE)) {
            return;
        }
        boolean negative = isNegative(se);
        if (sig == 0) {
            e.result(sig, se);
            return;
        }
        if (isInfinite(sig, se)) {
            if (negative) {
                e.result(TOP, 0x8000 | BIAS);
            } else {
                e.result(sig, se);
            }
            return;
        }
        int x = exponent(sig, se);
        long a = normalised(sig, se);
        if (x >= BIAS) {
            e.raise(PE);
            if (x == BIAS && a == TOP && negative) {
                e.result(TOP, 0x8000 | BIAS - 1);
            } else {
                e.result(sig, se);
            }
            return;
        }
        // 2^x - 1 = t (1 + t/2! + t^2/3! + …) with t = x ln 2.
        Fixed128 f = e.fixed;
        f.set(a, 0);
        f.multiply(LN2_HIGH, LN2_LOW);
        int scale = x - BIAS + 1 - f.normalise();
        long th = f.hi;
        long tl = f.lo;
        f.shiftRight(-scale);
        f.series(EXPONENTIAL, scale < -24 ? 6 : scale < -6 ? 14 : 26, f.hi, f.lo, negative);
        f.multiply(th, tl);
        int exponent = scale + 1 - f.normalise();
        Fp80.round(e, negative, exponent - 1 + BIAS, f.hi, f.lo | 1, 64);
    }

    /// `y log2(x)`.
    static void fyl2x(X87Environment e, long xs, int xe, long ys, int ye) {
        if (Fp80.special(e, ys, ye, xs, xe)) {
            return;
        }
        boolean negative = isNegative(ye);
        if (xs == 0) {
            if (ys == 0) {
                Fp80.invalid(e);
            } else {
                if (!isInfinite(ys, ye)) {
                    e.raise(ZE);
                }
                e.result(TOP, negative ? MAX : 0x8000 | MAX);
            }
            return;
        }
        boolean one = xs == TOP && (xe & MAX) == BIAS;
        if (isNegative(xe) || isInfinite(ys, ye) && one || isInfinite(xs, xe) && ys == 0) {
            Fp80.invalid(e);
            return;
        }
        if ((isDenormal(xs, xe) || isDenormal(ys, ye)) && e.stops(DE)) {
            return;
        }
        boolean below = (xe & MAX) < BIAS;
        if (one || ys == 0) {
            e.result(0, negative != below ? 0x8000 : 0);
            return;
        }
        if (isInfinite(ys, ye) || isInfinite(xs, xe)) {
            e.result(TOP, (negative != below ? 0x8000 : 0) | MAX);
            return;
        }
        logarithm(e, exponent(xs, xe) - BIAS, normalised(xs, xe), 0, ys, ye);
    }

    /// `y log2(x + 1)`; for x <= -1, where the manual leaves the result open, x itself.
    static void fyl2xp1(X87Environment e, long xs, int xe, long ys, int ye) {
        if (Fp80.special(e, ys, ye, xs, xe)) {
            return;
        }
        boolean xNegative = isNegative(xe);
        int sign = (xe ^ ye) & 0x8000;
        if (isInfinite(ys, ye) && xs == 0 || isInfinite(xs, xe) && (xNegative || ys == 0)) {
            Fp80.invalid(e);
            return;
        }
        if ((isDenormal(xs, xe) || isDenormal(ys, ye)) && e.stops(DE)) {
            return;
        }
        if (isInfinite(ys, ye) || isInfinite(xs, xe)) {
            e.result(TOP, sign | MAX);
            return;
        }
        if (xs == 0 || ys == 0) {
            e.result(0, sign);
            return;
        }
        if (xNegative && (xe & MAX) >= BIAS) {
            e.raise(PE);
            e.result(xs, xe);
            return;
        }
        int x = exponent(xs, xe) - BIAS;
        long a = normalised(xs, xe);
        Fixed128 f = e.fixed;
        if (x < -2) {
            // s = x/(2+x); the divisor with scale 2^-126 has its top bit set or the next one.
            f.set(a, 0);
            f.shiftRight(1 - x);
            if (xNegative) {
                f.subtractFrom(TOP, 0);
            } else {
                f.add(TOP, 0);
            }
            int shift = f.normalise();
            f.reciprocal();
            f.multiply(a, 0);
            int scale = x + shift - f.normalise();
            product(e, xNegative, artanh(f, scale), ys, ye);
            return;
        }
        f.set(a, 0);
        int exponent = 0;
        if (xNegative) {
            f.shiftRight(-1 - x);
            f.subtractFrom(0, 0);
            exponent = -1 - f.normalise();
        } else if (x < 0) {
            f.shiftRight(-x);
            f.add(TOP, 0);
        } else {
            exponent = x;
            long unit = x < 64 ? TOP >>> x : 0;
            long low = x >= 64 && x < 128 ? TOP >>> x : 0;
            f.add(unit, low);
            if (f.hi >= 0) {
                f.shiftRight(1);
                f.hi |= TOP;
                exponent++;
            }
        }
        if (f.hi == TOP && f.lo == 0) {
            scaled(e, exponent < 0, Math.abs(exponent), ys, ye);
        } else {
            logarithm(e, exponent, f.hi, f.lo, ys, ye);
        }
    }

    /// `y (n + log2 m)` with m in [1, 2), scale 2^-127, not n = 0 and m = 1.
    private static void logarithm(X87Environment e, int n0, long mHigh, long mLow, long ys, int ye) {
        int n = n0;
        if (mHigh == TOP && mLow == 0) {
            scaled(e, n < 0, Math.abs(n), ys, ye);
            return;
        }
        Fixed128 f = e.fixed;
        // log2 m = 2/ln 2 artanh(s), s = (m-1)/(m+1). Above the root of two, m/2 is used: s = (2-m)/(2+m) negated.
        boolean below = Long.compareUnsigned(mHigh, ROOT2) > 0;
        f.set(mHigh, mLow);
        if (below) {
            n++;
            f.subtractFrom(0, 0);
        } else {
            f.hi &= ~TOP;
        }
        int scale = -f.normalise();
        long numeratorHigh = f.hi;
        long numeratorLow = f.lo;
        // The divisor, between 2 and 4, with scale 2^-126.
        f.set(mHigh, mLow);
        f.shiftRight(1);
        f.add(below ? TOP : TOP >>> 1, 0);
        f.reciprocal();
        f.multiply(numeratorHigh, numeratorLow);
        scale -= f.normalise();
        int exponent = artanh(f, scale);
        if (n != 0) {
            // |n| plus or minus the logarithm, scale 2^-112.
            f.shiftRight(16 - exponent);
            long whole = (long) Math.abs(n) << 48;
            if (n > 0 == below) {
                f.subtractFrom(whole, 0);
            } else {
                f.add(whole, 0);
            }
            exponent = 16 - f.normalise();
        }
        product(e, n != 0 ? n < 0 : below, exponent, ys, ye);
    }

    /// Replaces s in the accumulator by 2 artanh(s) / ln 2, both normalised.
    ///
    /// @param scale s is the accumulator times 2^(scale-128)
    /// @return the same for the result
    private static int artanh(Fixed128 f, int scale) {
        long sh = f.hi;
        long sl = f.lo;
        f.multiply(sh, sl);
        f.shiftRight(-2 * scale);
        f.series(ARTANH, scale < -16 ? 5 : scale < -5 ? 11 : 22, f.hi, f.lo, false);
        f.multiply(sh, sl);
        f.multiply(TWO_BY_LN2_HIGH, TWO_BY_LN2_LOW);
        return 3 + scale - f.normalise();
    }

    private static void scaled(X87Environment e, boolean negative, int n, long ys, int ye) {
        int zeros = Long.numberOfLeadingZeros(n);
        e.fixed.set((long) n << zeros, 0);
        int x = exponent(ys, ye) + 63 - zeros;
        long y = normalised(ys, ye);
        long high = Math.unsignedMultiplyHigh(e.fixed.hi, y);
        long low = e.fixed.hi * y;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
        } else {
            x++;
        }
        Fp80.round(e, negative != isNegative(ye), x, high, low, 64);
        // The processor reports every computed logarithm as inexact, and therefore a tiny one as underflow.
        e.raise((e.signExponent & MAX) == 0 ? PE | UE : PE);
    }

    /// The accumulator's normalised value times 2^(exponent-128), times y.
    private static void product(X87Environment e, boolean negative, int exponent, long ys, int ye) {
        Fixed128 f = e.fixed;
        f.multiply(normalised(ys, ye), 0);
        int x = exponent + exponent(ys, ye) - f.normalise();
        Fp80.round(e, negative != isNegative(ye), x, f.hi, f.lo | 1, 64);
    }
}
