package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.PE;

/// Double precision as SSE2, SSE4.1, AVX and FMA compute it: functions from bits to bits; exceptions go to the
/// [Mxcsr].
///
/// Under an ordinary MXCSR (nearest rounding, everything masked) numbers that are neither zero, denormal, infinite
/// nor NaN take a fast way through Java's `double`; whether such a result is inexact follows from the trailing zero
/// bits of the significands, or does not matter because PE is set already. Everything else is left to [Ieee].
public final class Fp64 {
    private static final IeeeFormat F = IeeeFormat.F64;
    private static final long SIGN = Long.MIN_VALUE;
    private static final long HIDDEN = 1L << 52;

    private Fp64() {}

    /// Normal: neither zero, denormal, infinite nor NaN.
    static boolean isNormal(long bits) {
        return ((int) (bits >>> 52) + 1 & 0x7FF) > 1;
    }

    /// Normal and above the least exponent, where rounding may hide an underflow.
    private static boolean isSafe(long bits) {
        return ((int) (bits >>> 52) + 1 & 0x7FF) > 2;
    }

    private static boolean isNormalOrZero(long bits) {
        return isNormal(bits) || bits << 1 == 0;
    }

    private static int trailingZeros(long bits) {
        return Long.numberOfTrailingZeros(bits | HIDDEN);
    }

    /// `a + b`.
    public static long add(Mxcsr m, long a, long b) {
        if (m.plain && isNormalOrZero(a) && isNormalOrZero(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double sum = x + y;
            long bits = Double.doubleToRawLongBits(sum);
            if (isSafe(bits)) {
                if (!m.inexactKnown()) {
                    noteSum(m, x, y, sum);
                }
                return bits;
            }
        }
        return Ieee.add(m, F, a, b, 0);
    }

    /// `a - b`.
    public static long sub(Mxcsr m, long a, long b) {
        if (m.plain && isNormalOrZero(a) && isNormalOrZero(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double difference = x - y;
            long bits = Double.doubleToRawLongBits(difference);
            if (isSafe(bits)) {
                if (!m.inexactKnown()) {
                    noteSum(m, x, -y, difference);
                }
                return bits;
            }
        }
        return Ieee.add(m, F, a, b, SIGN);
    }

    /// The error of a sum is itself a double (Knuth, TAOCP volume 2, 4.2.2, theorem B).
    private static void noteSum(Mxcsr m, double x, double y, double sum) {
        double part = sum - x;
        if (x - (sum - part) + (y - part) != 0) {
            m.raised |= PE;
        }
    }

    /// `a * b`.
    public static long mul(Mxcsr m, long a, long b) {
        if (m.plain && isNormal(a) && isNormal(b)) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(a) * Double.longBitsToDouble(b));
            if (isSafe(bits)) {
                if (m.inexactKnown()) {
                    return bits;
                }
                // The product of the significands has 105 or 106 bits, and as many trailing zeros as both together.
                int zeros = trailingZeros(a) + trailingZeros(b);
                if (zeros != 52) {
                    if (zeros < 52) {
                        m.raised |= PE;
                    }
                    return bits;
                }
            }
        }
        return Ieee.mul(m, F, a, b);
    }

    /// `a / b`.
    public static long div(Mxcsr m, long a, long b) {
        if (m.plain && isNormal(a) && isNormal(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double quotient = x / y;
            long bits = Double.doubleToRawLongBits(quotient);
            if (isSafe(bits)) {
                if (m.inexactKnown()) {
                    return bits;
                }
                int zeros = trailingZeros(bits) + trailingZeros(b);
                if (zeros != 52) {
                    if (zeros < 52 || quotient * y != x) {
                        m.raised |= PE;
                    }
                    return bits;
                }
            }
        }
        return Ieee.div(m, F, a, b);
    }

    /// The square root.
    public static long sqrt(Mxcsr m, long a) {
        if (m.plain && a > 0 && isNormal(a)) {
            double x = Double.longBitsToDouble(a);
            double root = Math.sqrt(x);
            long bits = Double.doubleToRawLongBits(root);
            if (m.inexactKnown()) {
                return bits;
            }
            int zeros = 2 * trailingZeros(bits);
            if (zeros != 52) {
                if (zeros < 52 || root * root != x) {
                    m.raised |= PE;
                }
                return bits;
            }
        }
        return Ieee.sqrt(m, F, a);
    }

    /// The VFMADD family: see [Fma].
    public static long fma(Mxcsr m, Fma form, long operand1, long operand2, long operand3) {
        return form.compute(m, F, operand1, operand2, operand3);
    }

    /// MINSD: the second operand when either is a NaN or both are zeros.
    public static long min(Mxcsr m, long a, long b) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? a : b;
        }
        return Ieee.min(m, F, a, b, false);
    }

    /// MAXSD: the second operand when either is a NaN or both are zeros.
    public static long max(Mxcsr m, long a, long b) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            return Double.longBitsToDouble(a) > Double.longBitsToDouble(b) ? a : b;
        }
        return Ieee.min(m, F, a, b, true);
    }

    /// COMISD and, with `quiet`, UCOMISD.
    ///
    /// @return the new ZF (bit 6), PF (bit 2) and CF (bit 0); OF, SF and AF become zero
    public static int compare(Mxcsr m, long a, long b, boolean quiet) {
        return FpCompare.flags(relation(m, a, b, quiet));
    }

    /// CMPSD and VCMPSD.
    ///
    /// @param predicate 0 to 7, with AVX up to 31
    public static boolean compare(Mxcsr m, long a, long b, int predicate) {
        return FpCompare.holds(predicate, relation(m, a, b, FpCompare.isQuiet(predicate)));
    }

    private static int relation(Mxcsr m, long a, long b, boolean quiet) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            return x < y ? -1 : x > y ? 1 : 0;
        }
        return Ieee.compare(m, F, a, b, quiet);
    }

    /// CVTSD2SI with 32 bits, rounding as MXCSR says.
    public static int toInt32(Mxcsr m, long a) {
        return isNormal(a) && m.rounding == FpEnvironment.NEAREST
                ? roundToInt32(m, Double.longBitsToDouble(a), a)
                : (int) Ieee.toInteger(m, F, a, 32, m.rounding);
    }

    private static int roundToInt32(Mxcsr m, double x, long a) {
        double whole = Math.rint(x);
        if (whole >= -0x1p31 && whole < 0x1p31) {
            if (whole != x) {
                m.raised |= PE;
            }
            return (int) whole;
        }
        return (int) Ieee.toInteger(m, F, a, 32, FpEnvironment.NEAREST);
    }

    /// CVTSD2SI with 64 bits.
    public static long toInt64(Mxcsr m, long a) {
        return Ieee.toInteger(m, F, a, 64, m.rounding);
    }

    /// CVTTSD2SI with 32 bits.
    public static int truncateToInt32(Mxcsr m, long a) {
        double x = Double.longBitsToDouble(a);
        int i = (int) x;
        if (i == x) {
            return i;
        }
        if (isNormal(a) && x > -0x1p31 && x < 0x1p31) {
            m.raised |= PE;
            return i;
        }
        return (int) Ieee.toInteger(m, F, a, 32, FpEnvironment.ZERO);
    }

    /// CVTTSD2SI with 64 bits.
    public static long truncateToInt64(Mxcsr m, long a) {
        double x = Double.longBitsToDouble(a);
        if (Math.abs(x) < 0x1p53) {
            long i = (long) x;
            if (i == x) {
                return i;
            }
            if (isNormal(a)) {
                m.raised |= PE;
                return i;
            }
        }
        return Ieee.toInteger(m, F, a, 64, FpEnvironment.ZERO);
    }

    /// CVTSI2SD with 32 bits: exact.
    public static long fromInt32(int value) {
        return Double.doubleToRawLongBits(value);
    }

    /// CVTSI2SD with 64 bits.
    public static long fromInt64(Mxcsr m, long value) {
        if (Math.abs(value) >>> 53 == 0) {
            return Double.doubleToRawLongBits((double) value);
        }
        return Ieee.fromInteger(m, F, value);
    }

    /// CVTSD2SS.
    public static int toF32(Mxcsr m, long a) {
        if (m.plain && isNormal(a)) {
            double x = Double.longBitsToDouble(a);
            float r = (float) x;
            int bits = Float.floatToRawIntBits(r);
            if (Fp32.isSafe(bits)) {
                if (r != x) {
                    m.raised |= PE;
                }
                return bits;
            }
        }
        return (int) Ieee.convert(m, F, IeeeFormat.F32, a);
    }

    /// ROUNDSD.
    ///
    /// @param immediate bits 0 and 1 the mode, bit 2 to use MXCSR's instead, bit 3 to suppress the precision
    ///     exception
    public static long roundToIntegral(Mxcsr m, long a, int immediate) {
        if (!isNormal(a)) {
            return Ieee.roundToIntegral(m, F, a, immediate);
        }
        double x = Double.longBitsToDouble(a);
        double whole = switch ((immediate & 4) != 0 ? m.rounding : immediate & 3) {
            case FpEnvironment.NEAREST -> Math.rint(x);
            case FpEnvironment.DOWN -> Math.floor(x);
            case FpEnvironment.UP -> Math.ceil(x);
            default -> x < 0 ? Math.ceil(x) : Math.floor(x);
        };
        if (whole != x && (immediate & 8) == 0) {
            m.raised |= PE;
        }
        return Double.doubleToRawLongBits(whole);
    }
}
