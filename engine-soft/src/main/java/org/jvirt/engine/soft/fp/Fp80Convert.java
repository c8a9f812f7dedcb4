package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.Fp80.BIAS;
import static org.jvirt.engine.soft.fp.Fp80.MAX;
import static org.jvirt.engine.soft.fp.Fp80.QUIET;
import static org.jvirt.engine.soft.fp.Fp80.TOP;
import static org.jvirt.engine.soft.fp.Fp80.exponent;
import static org.jvirt.engine.soft.fp.Fp80.isNegative;
import static org.jvirt.engine.soft.fp.Fp80.normalised;
import static org.jvirt.engine.soft.fp.FpEnvironment.DE;
import static org.jvirt.engine.soft.fp.FpEnvironment.IE;
import static org.jvirt.engine.soft.fp.FpEnvironment.OE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PE;
import static org.jvirt.engine.soft.fp.FpEnvironment.UE;
import static org.jvirt.engine.soft.fp.FpEnvironment.ZERO;

/// Conversions between the x87's 80-bit format and the formats of its memory operands, and the built-in constants.
final class Fp80Convert {
    /// Bits 127 to 64, bits 63 to 0 and exponent of each constant from FLD1 on.
    private static final long[] CONSTANT_HIGH = {
        TOP,
        0xD49A_784B_CD1B_8AFEL,
        0xB8AA_3B29_5C17_F0BBL,
        0xC90F_DAA2_2168_C234L,
        0x9A20_9A84_FBCF_F798L,
        0xB172_17F7_D1CF_79ABL
    };

    private static final long[] CONSTANT_LOW = {
        0,
        0x492B_F6FF_4DAF_DB4CL,
        0xBE87_FED0_691D_3E88L,
        0xC4C6_628B_80DC_1CD1L,
        0x8F89_59AC_0B7C_9178L,
        0xC9E3_B398_03F2_F6AFL
    };

    private static final int[] CONSTANT_EXPONENT = {BIAS, BIAS + 1, BIAS, BIAS + 1, BIAS - 2, BIAS - 1};

    private static final long BCD_LIMIT = 1_000_000_000_000_000_000L;

    private Fp80Convert() {}

    /// A built-in constant, rounded as the control word says; no exception is raised.
    static void constant(X87Environment e, int which) {
        if (which == X87.ZERO) {
            e.result(0, 0);
            return;
        }
        int raised = e.raised;
        Fp80.round(e, false, CONSTANT_EXPONENT[which], CONSTANT_HIGH[which], CONSTANT_LOW[which], 64);
        e.raised = raised;
        e.roundedUp = false;
    }

    /// FLD m32fp: exact, but raises IE for a signaling NaN (which is quieted) and DE for a denormal.
    static void fromF32(X87Environment e, int bits) {
        from(e, IeeeFormat.F32, bits & 0xFFFF_FFFFL);
        load(e);
    }

    /// FLD m64fp.
    static void fromF64(X87Environment e, long bits) {
        from(e, IeeeFormat.F64, bits);
        load(e);
    }

    private static void load(X87Environment e) {
        if (e.denormalLoaded) {
            e.raise(DE);
        }
        if (Fp80.isSignaling(e.significand, e.signExponent)) {
            e.raise(IE);
            e.significand |= QUIET;
        }
    }

    /// A memory operand of an arithmetic instruction: exact, a signaling NaN stays one, and
    /// [X87Environment#denormalLoaded] tells about denormals.
    static void fromF32Operand(X87Environment e, int bits) {
        from(e, IeeeFormat.F32, bits & 0xFFFF_FFFFL);
    }

    /// A memory operand of an arithmetic instruction.
    static void fromF64Operand(X87Environment e, long bits) {
        from(e, IeeeFormat.F64, bits);
    }

    private static void from(X87Environment e, IeeeFormat f, long bits) {
        int sign = f.isNegative(bits) ? 0x8000 : 0;
        e.denormalLoaded = f.isDenormal(bits);
        if (f.isZero(bits)) {
            e.result(0, sign);
        } else if (f.magnitude(bits) >= f.infinity()) {
            e.result(f.magnitude(bits) << 64 - f.precision() | TOP, sign | MAX);
        } else {
            e.result(f.significand(bits), sign | f.exponent(bits) + BIAS);
        }
    }

    /// Exact.
    static void fromInteger(X87Environment e, long value) {
        e.denormalLoaded = false;
        if (value == 0) {
            e.result(0, 0);
            return;
        }
        long magnitude = Math.abs(value);
        int zeros = Long.numberOfLeadingZeros(magnitude);
        e.result(magnitude << zeros, (value < 0 ? 0x8000 : 0) | BIAS + 63 - zeros);
    }

    /// Rounds to single precision.
    static int toF32(X87Environment e, long sig, int se) {
        return (int) to(e, IeeeFormat.F32, sig, se);
    }

    /// Rounds to double precision.
    static long toF64(X87Environment e, long sig, int se) {
        return to(e, IeeeFormat.F64, sig, se);
    }

    private static long to(X87Environment e, IeeeFormat f, long sig, int se) {
        if (Fp80.isUnsupported(sig, se)) {
            e.raise(IE);
            return f.indefinite();
        }
        long sign = isNegative(se) ? f.sign() : 0;
        if (sig == 0) {
            return sign;
        }
        if ((se & MAX) == MAX) {
            if (sig == TOP) {
                return sign | f.infinity();
            }
            if ((sig & QUIET) == 0) {
                e.raise(IE);
            }
            return sign | f.infinity() | f.quiet() | sig << 1 >>> 65 - f.precision();
        }
        long bits = f.round(e, isNegative(se), exponent(sig, se) - BIAS, normalised(sig, se));
        if ((e.raised & ~e.masks & (OE | UE)) != 0) {
            e.raised &= ~PE;
            e.roundedUp = false;
        }
        return bits;
    }

    /// What an invalid conversion to an integer of this size stores.
    static long integerIndefinite(int bits) {
        return TOP >> 64 - bits;
    }

    /// Rounds to a signed integer; NaN and everything out of range is invalid.
    static long toInteger(X87Environment e, long sig, int se, int bits, boolean truncate) {
        int mode = e.rounding;
        if (truncate) {
            e.rounding = ZERO;
        }
        long magnitude = magnitude(e, sig, se);
        e.rounding = mode;
        boolean negative = isNegative(se);
        long limit = 1L << bits - 1;
        boolean fits =
                negative ? Long.compareUnsigned(magnitude, limit) <= 0 : Long.compareUnsigned(magnitude, limit) < 0;
        if (!fits || (e.raised & IE) != 0) {
            e.raised = IE;
            e.roundedUp = false;
            return integerIndefinite(bits);
        }
        return negative ? -magnitude : magnitude;
    }

    /// Rounds to an unsigned integer; raises IE when it has more than 64 bits or there is none.
    private static long magnitude(X87Environment e, long sig, int se) {
        if (Fp80.isUnsupported(sig, se)) {
            e.raise(IE);
            return 0;
        }
        int x = (se & MAX) - BIAS;
        if (x > 63) {
            e.raise(IE);
            return 0;
        }
        boolean negative = isNegative(se);
        if (x == 63 || sig == 0) {
            return sig;
        }
        boolean up;
        long kept = 0;
        boolean inexact = true;
        if (x < 0) {
            up = e.increments(negative, false, x == -1, x < -1 || sig << 1 != 0);
        } else {
            int unit = 63 - x;
            kept = sig >>> unit;
            inexact = sig << 64 - unit != 0;
            up = inexact
                    && e.increments(negative, (kept & 1) != 0, (sig >>> unit - 1 & 1) != 0, sig << 64 - unit << 1 != 0);
        }
        if (inexact) {
            e.raise(PE);
            e.roundedUp = up;
        }
        return up ? kept + 1 : kept;
    }

    /// FBLD: exact. Digits above nine count as their value.
    static void fromBcd(X87Environment e, long low, int high) {
        long value = (high >>> 4 & 15) * 10L + (high & 15);
        for (int shift = 60; shift >= 0; shift -= 4) {
            value = value * 10 + (low >>> shift & 15);
        }
        fromInteger(e, value);
        e.signExponent |= high & 0x8000;
    }

    /// FBSTP: rounds to eighteen digits; bytes 8 and 9 of the result go to the environment's sign and exponent.
    static long toBcd(X87Environment e, long sig, int se) {
        long value = magnitude(e, sig, se);
        if ((e.raised & IE) != 0 || Long.compareUnsigned(value, BCD_LIMIT) >= 0) {
            e.raised = IE;
            e.roundedUp = false;
            e.signExponent = 0xFFFF;
            return 0xC000_0000_0000_0000L;
        }
        long low = 0;
        for (int shift = 0; shift < 64; shift += 4) {
            low |= value % 10 << shift;
            value /= 10;
        }
        e.signExponent = se & 0x8000 | (int) (value / 10 << 4 | value % 10);
        return low;
    }
}
