package org.jvirt.engine.soft.fp;

/// RCPSS and RSQRTSS: estimates with a relative error below 1.5 * 2^-12, without any exception.
///
/// The last bits of real estimates differ between processor vendors and generations. Here the argument's first
/// twelve fraction bits decide: the function's value in the middle of their interval, rounded to twelve bits.
/// Special cases are those of the Intel SDM, volume 2: denormals count as zeros, tiny results are zeros.
public final class FpEstimate {
    private static final int SIGN = 0x8000_0000;
    private static final int INFINITY = 0x7F80_0000;
    private static final int QUIET = 0x0040_0000;
    private static final int INDEFINITE = 0xFFC0_0000;
    private static final int MIN_NORMAL = 0x0080_0000;
    private static final int MIDDLE = 1 << 10;
    private static final int LOST = (1 << 11) - 1;

    private FpEstimate() {}

    /// RCPSS.
    public static int reciprocal(int bits) {
        int magnitude = bits & ~SIGN;
        int sign = bits & SIGN;
        if (magnitude > INFINITY) {
            return bits | QUIET;
        }
        if (magnitude < MIN_NORMAL) {
            return sign | INFINITY;
        }
        // From 2^126 on the estimate is below the least normal number.
        if (magnitude >= 0x7E80_0000) {
            return sign;
        }
        return sign | rounded(1.0 / middle(magnitude));
    }

    /// RSQRTSS.
    public static int reciprocalRoot(int bits) {
        int magnitude = bits & ~SIGN;
        if (magnitude > INFINITY) {
            return bits | QUIET;
        }
        if (magnitude < MIN_NORMAL) {
            return bits & SIGN | INFINITY;
        }
        if (bits < 0) {
            return INDEFINITE;
        }
        return bits == INFINITY ? 0 : rounded(1.0 / Math.sqrt(middle(magnitude)));
    }

    private static double middle(int magnitude) {
        return Float.intBitsToFloat(magnitude & ~LOST | MIDDLE);
    }

    private static int rounded(double value) {
        return Float.floatToRawIntBits((float) value) + MIDDLE & ~LOST;
    }
}
