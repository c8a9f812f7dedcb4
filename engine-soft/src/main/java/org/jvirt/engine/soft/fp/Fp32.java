package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.PE;

/// Single precision as SSE, SSE4.1, AVX and FMA compute it: functions from bits to bits; exceptions go to the
/// [Mxcsr].
///
/// As in [Fp64] ordinary numbers take a fast way; here `double` holds products exactly and so tells about
/// inexactness.
public final class Fp32 {
    private static final IeeeFormat F = IeeeFormat.F32;
    private static final long SIGN = 1L << 31;

    private Fp32() {}

    private static boolean isNormal(int bits) {
        return ((bits >>> 23) + 1 & 0xFF) > 1;
    }

    /// Normal and above the least exponent, where rounding may hide an underflow.
    static boolean isSafe(int bits) {
        return ((bits >>> 23) + 1 & 0xFF) > 2;
    }

    private static boolean isNormalOrZero(int bits) {
        return isNormal(bits) || bits << 1 == 0;
    }

    private static long wide(int bits) {
        return bits & 0xFFFF_FFFFL;
    }

    /// `a + b`.
    public static int add(Mxcsr m, int a, int b) {
        if (m.plain && isNormalOrZero(a) && isNormalOrZero(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float sum = x + y;
            int bits = Float.floatToRawIntBits(sum);
            if (isSafe(bits)) {
                if (!m.inexactKnown()) {
                    noteSum(m, x, y, sum);
                }
                return bits;
            }
        }
        return (int) Ieee.add(m, F, wide(a), wide(b), 0);
    }

    /// `a - b`.
    public static int sub(Mxcsr m, int a, int b) {
        if (m.plain && isNormalOrZero(a) && isNormalOrZero(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float difference = x - y;
            int bits = Float.floatToRawIntBits(difference);
            if (isSafe(bits)) {
                if (!m.inexactKnown()) {
                    noteSum(m, x, -y, difference);
                }
                return bits;
            }
        }
        return (int) Ieee.add(m, F, wide(a), wide(b), SIGN);
    }

    private static void noteSum(Mxcsr m, float x, float y, float sum) {
        float part = sum - x;
        if (x - (sum - part) + (y - part) != 0) {
            m.raised |= PE;
        }
    }

    /// `a * b`.
    public static int mul(Mxcsr m, int a, int b) {
        if (m.plain && isNormal(a) && isNormal(b)) {
            double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
            float r = (float) product;
            int bits = Float.floatToRawIntBits(r);
            if (isSafe(bits)) {
                if (r != product) {
                    m.raised |= PE;
                }
                return bits;
            }
        }
        return (int) Ieee.mul(m, F, wide(a), wide(b));
    }

    /// `a / b`.
    public static int div(Mxcsr m, int a, int b) {
        if (m.plain && isNormal(a) && isNormal(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float quotient = x / y;
            int bits = Float.floatToRawIntBits(quotient);
            if (isSafe(bits)) {
                if ((double) quotient * y != x) {
                    m.raised |= PE;
                }
                return bits;
            }
        }
        return (int) Ieee.div(m, F, wide(a), wide(b));
    }

    /// The square root.
    public static int sqrt(Mxcsr m, int a) {
        if (m.plain && a > 0 && isNormal(a)) {
            float x = Float.intBitsToFloat(a);
            // Correctly rounded although rounded twice: 53 >= 2 * 24 + 2.
            float root = (float) Math.sqrt(x);
            if ((double) root * root != x) {
                m.raised |= PE;
            }
            return Float.floatToRawIntBits(root);
        }
        return (int) Ieee.sqrt(m, F, wide(a));
    }

    /// The VFMADD family: see [Fma].
    public static int fma(Mxcsr m, Fma form, int operand1, int operand2, int operand3) {
        return (int) form.compute(m, F, wide(operand1), wide(operand2), wide(operand3));
    }

    /// MINSS: the second operand when either is a NaN or both are zeros.
    public static int min(Mxcsr m, int a, int b) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            return Float.intBitsToFloat(a) < Float.intBitsToFloat(b) ? a : b;
        }
        return (int) Ieee.min(m, F, wide(a), wide(b), false);
    }

    /// MAXSS: the second operand when either is a NaN or both are zeros.
    public static int max(Mxcsr m, int a, int b) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            return Float.intBitsToFloat(a) > Float.intBitsToFloat(b) ? a : b;
        }
        return (int) Ieee.min(m, F, wide(a), wide(b), true);
    }

    /// COMISS and, with `quiet`, UCOMISS.
    ///
    /// @return the new ZF (bit 6), PF (bit 2) and CF (bit 0); OF, SF and AF become zero
    public static int compare(Mxcsr m, int a, int b, boolean quiet) {
        return FpCompare.flags(relation(m, a, b, quiet));
    }

    /// CMPSS and VCMPSS.
    ///
    /// @param predicate 0 to 7, with AVX up to 31
    public static boolean compare(Mxcsr m, int a, int b, int predicate) {
        return FpCompare.holds(predicate, relation(m, a, b, FpCompare.isQuiet(predicate)));
    }

    private static int relation(Mxcsr m, int a, int b, boolean quiet) {
        if (isNormalOrZero(a) && isNormalOrZero(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            return x < y ? -1 : x > y ? 1 : 0;
        }
        return Ieee.compare(m, F, wide(a), wide(b), quiet);
    }

    /// CVTSS2SI with 32 bits, rounding as MXCSR says.
    public static int toInt32(Mxcsr m, int a) {
        return isNormal(a)
                ? Fp64.toInt32(m, Double.doubleToRawLongBits(Float.intBitsToFloat(a)))
                : (int) Ieee.toInteger(m, F, wide(a), 32, m.rounding);
    }

    /// CVTSS2SI with 64 bits.
    public static long toInt64(Mxcsr m, int a) {
        return Ieee.toInteger(m, F, wide(a), 64, m.rounding);
    }

    /// CVTTSS2SI with 32 bits.
    public static int truncateToInt32(Mxcsr m, int a) {
        double x = Float.intBitsToFloat(a);
        int i = (int) x;
        if (i == x) {
            return i;
        }
        if (isNormal(a) && x > -0x1p31 && x < 0x1p31) {
            m.raised |= PE;
            return i;
        }
        return (int) Ieee.toInteger(m, F, wide(a), 32, FpEnvironment.ZERO);
    }

    /// CVTTSS2SI with 64 bits.
    public static long truncateToInt64(Mxcsr m, int a) {
        double x = Float.intBitsToFloat(a);
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
        return Ieee.toInteger(m, F, wide(a), 64, FpEnvironment.ZERO);
    }

    /// CVTSI2SS with 32 bits.
    public static int fromInt32(Mxcsr m, int value) {
        return fromInt64(m, value);
    }

    /// CVTSI2SS with 64 bits.
    public static int fromInt64(Mxcsr m, long value) {
        if (Math.abs(value) >>> 24 == 0) {
            return Float.floatToRawIntBits((float) value);
        }
        return (int) Ieee.fromInteger(m, F, value);
    }

    /// CVTSS2SD.
    public static long toF64(Mxcsr m, int a) {
        if (isNormalOrZero(a)) {
            return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
        }
        return Ieee.convert(m, F, IeeeFormat.F64, wide(a));
    }

    /// ROUNDSS.
    ///
    /// @param immediate bits 0 and 1 the mode, bit 2 to use MXCSR's instead, bit 3 to suppress the precision
    ///     exception
    public static int roundToIntegral(Mxcsr m, int a, int immediate) {
        if (isNormal(a)) {
            // Exact: every float is a normal double, and a rounded float is a float.
            long rounded = Fp64.roundToIntegral(m, toF64(m, a), immediate);
            return Float.floatToRawIntBits((float) Double.longBitsToDouble(rounded));
        }
        return (int) Ieee.roundToIntegral(m, F, wide(a), immediate);
    }
}
