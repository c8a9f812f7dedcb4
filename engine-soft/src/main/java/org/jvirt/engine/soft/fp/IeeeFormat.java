package org.jvirt.engine.soft.fp;

/// An IEEE 754 interchange format.
///
/// @param precision significand bits including the hidden one
/// @param exponentBits width of the exponent
record IeeeFormat(int precision, int exponentBits) {
    static final IeeeFormat F16 = new IeeeFormat(11, 5);
    static final IeeeFormat F32 = new IeeeFormat(24, 8);
    static final IeeeFormat F64 = new IeeeFormat(53, 11);

    int bias() {
        return (1 << exponentBits - 1) - 1;
    }

    long sign() {
        return 1L << precision - 1 + exponentBits;
    }

    /// Positive infinity, also the mask of the exponent.
    long infinity() {
        return (1L << exponentBits) - 1 << precision - 1;
    }

    long fraction() {
        return (1L << precision - 1) - 1;
    }

    long quiet() {
        return 1L << precision - 2;
    }

    /// The NaN that answers invalid operations.
    long indefinite() {
        return sign() | infinity() | quiet();
    }

    long magnitude(long bits) {
        return bits & sign() - 1;
    }

    boolean isNegative(long bits) {
        return (bits & sign()) != 0;
    }

    boolean isNaN(long bits) {
        return magnitude(bits) > infinity();
    }

    boolean isSignaling(long bits) {
        return isNaN(bits) && (bits & quiet()) == 0;
    }

    boolean isInfinite(long bits) {
        return magnitude(bits) == infinity();
    }

    boolean isZero(long bits) {
        return magnitude(bits) == 0;
    }

    boolean isDenormal(long bits) {
        return magnitude(bits) - 1 < fraction() && magnitude(bits) != 0;
    }

    /// Unbiased exponent of a finite number other than zero, denormals counted as if normalised.
    int exponent(long bits) {
        int e = (int) (magnitude(bits) >>> precision - 1);
        return e != 0 ? e - bias() : 1 - bias() - (Long.numberOfLeadingZeros(magnitude(bits)) - (64 - precision));
    }

    /// Significand of a finite number other than zero, the leading one in bit 63.
    long significand(long bits) {
        long m = magnitude(bits);
        if (m >>> precision - 1 != 0) {
            return m << 64 - precision | Long.MIN_VALUE;
        }
        return m << Long.numberOfLeadingZeros(m);
    }

    /// Rounds `significand * 2^(exponent-63)` (leading one in bit 63, discarded bits jammed into bit 0) to this
    /// format. Without a result, because underflow or overflow is unmasked, the value returned has no meaning.
    long round(FpEnvironment e, boolean negative, int exponent, long significand) {
        int shift = 64 - precision;
        long sign = negative ? sign() : 0;
        int biased = exponent + bias();
        boolean tiny = false;
        long sig = significand;
        e.roundedUp = false;
        if (biased <= 0) {
            tiny = biased < 0 || !carries(e, negative, sig, shift);
            if (tiny && !e.masked(FpEnvironment.UE)) {
                e.raised |= FpEnvironment.UE;
                if (sig << 64 - shift != 0) {
                    e.raised |= FpEnvironment.PE;
                    e.roundedUp = increments(e, negative, sig, shift);
                }
                return sign;
            }
            if (tiny && e.flushToZero) {
                e.raised |= FpEnvironment.UE | FpEnvironment.PE;
                return sign;
            }
            sig = Wide.shiftRightJam(sig, 1 - biased);
            biased = 1;
        }
        long kept = sig >>> shift;
        if (sig << 64 - shift != 0) {
            e.raised |= tiny ? FpEnvironment.PE | FpEnvironment.UE : FpEnvironment.PE;
            if (increments(e, negative, sig, shift)) {
                kept++;
                e.roundedUp = true;
            }
        }
        long bits = ((long) (biased - 1) << precision - 1) + kept;
        return Long.compareUnsigned(bits, infinity()) >= 0 || biased > 1 << exponentBits
                ? overflow(e, negative)
                : sign | bits;
    }

    private long overflow(FpEnvironment e, boolean negative) {
        e.raised |= FpEnvironment.OE;
        if (e.masked(FpEnvironment.OE)) {
            e.raised |= FpEnvironment.PE;
            e.roundedUp = e.overflowsToInfinity(negative);
        }
        return (negative ? sign() : 0) | (e.overflowsToInfinity(negative) ? infinity() : infinity() - 1);
    }

    private static boolean increments(FpEnvironment e, boolean negative, long sig, int shift) {
        return e.increments(negative, (sig >>> shift & 1) != 0, (sig >>> shift - 1 & 1) != 0, sig << 65 - shift != 0);
    }

    private static boolean carries(FpEnvironment e, boolean negative, long sig, int shift) {
        return sig >>> shift == -1L >>> shift && increments(e, negative, sig, shift);
    }
}
