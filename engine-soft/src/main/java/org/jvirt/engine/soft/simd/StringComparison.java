package org.jvirt.engine.soft.simd;

/// The comparison that `PCMPESTRI`, `PCMPESTRM`, `PCMPISTRI` and `PCMPISTRM` share.
///
/// The control byte: bits 1..0 the elements (unsigned or signed bytes or words), bits 3..2 the aggregation, bits
/// 5..4 the polarity, bit 6 the end of the index or the form of the mask.
///
/// Source: Intel SDM volume 2, section 4.1.
final class StringComparison {
    private static final int EQUAL_ANY = 0;
    private static final int RANGES = 1;
    private static final int EQUAL_EACH = 2;

    private StringComparison() {}

    /// How many elements the control byte makes of 128 bits.
    static int elements(int control) {
        return (control & 1) == 0 ? 16 : 8;
    }

    /// Elements before the first zero one.
    static int implicitLength(long low, long high, int control) {
        int n = elements(control);
        for (int i = 0; i < n; i++) {
            if (element(low, high, i, control) == 0) {
                return i;
            }
        }
        return n;
    }

    /// The magnitude of an explicit length, at most the number of elements.
    static int explicitLength(long value, int control) {
        int n = elements(control);
        return value > n || value < -n ? n : (int) Math.abs(value);
    }

    static int element(long low, long high, int i, int control) {
        if ((control & 1) == 0) {
            int value = (int) ((i < 8 ? low : high) >>> 8 * (i & 7));
            return (control & 2) == 0 ? value & 0xFF : (byte) value;
        }
        int value = (int) ((i < 4 ? low : high) >>> 16 * (i & 3));
        return (control & 2) == 0 ? value & 0xFFFF : (short) value;
    }

    /// The second intermediate result: a bit for each element of `b`.
    ///
    /// @param aLength valid elements of the first operand
    /// @param bLength valid elements of the second operand
    static int compare(long a0, long a1, int aLength, long b0, long b1, int bLength, int control) {
        int n = elements(control);
        int result = 0;
        for (int j = 0; j < n; j++) {
            boolean match = switch (control >>> 2 & 3) {
                case EQUAL_ANY -> j < bLength && equalAny(a0, a1, aLength, element(b0, b1, j, control), control);
                case RANGES -> j < bLength && inRanges(a0, a1, aLength, element(b0, b1, j, control), control);
                case EQUAL_EACH ->
                    j < aLength && j < bLength
                            ? element(a0, a1, j, control) == element(b0, b1, j, control)
                            : j >= aLength && j >= bLength;
                default -> startsAt(a0, a1, aLength, b0, b1, bLength, j, control);
            };
            result |= match ? 1 << j : 0;
        }
        return switch (control >>> 4 & 3) {
            case 1 -> ~result & (1 << n) - 1;
            case 3 -> result ^ (1 << bLength) - 1;
            default -> result;
        };
    }

    private static boolean equalAny(long a0, long a1, int aLength, int value, int control) {
        for (int i = 0; i < aLength; i++) {
            if (element(a0, a1, i, control) == value) {
                return true;
            }
        }
        return false;
    }

    private static boolean inRanges(long a0, long a1, int aLength, int value, int control) {
        for (int i = 0; i + 1 < aLength; i += 2) {
            if (element(a0, a1, i, control) <= value && value <= element(a0, a1, i + 1, control)) {
                return true;
            }
        }
        return false;
    }

    /// Whether the first operand is found at element `j` of the second, as far as the register shows.
    private static boolean startsAt(long a0, long a1, int aLength, long b0, long b1, int bLength, int j, int control) {
        int n = elements(control);
        for (int i = 0; i < aLength && i + j < n; i++) {
            if (i + j >= bLength || element(a0, a1, i, control) != element(b0, b1, i + j, control)) {
                return false;
            }
        }
        return true;
    }

    /// What `PCMPESTRI` and `PCMPISTRI` put into ECX.
    static int index(int result, int control) {
        if (result == 0) {
            return elements(control);
        }
        return (control & 0x40) == 0
                ? Integer.numberOfTrailingZeros(result)
                : 31 - Integer.numberOfLeadingZeros(result);
    }

    /// One word of what `PCMPESTRM` and `PCMPISTRM` put into XMM0.
    static long mask(int half, int result, int control) {
        if ((control & 0x40) == 0) {
            return half == 0 ? result : 0;
        }
        boolean bytes = (control & 1) == 0;
        int bits = bytes ? 8 : 16;
        int perWord = 64 / bits;
        long mask = 0;
        for (int i = 0; i < perWord; i++) {
            if ((result >>> half * perWord + i & 1) != 0) {
                mask |= (bytes ? 0xFFL : 0xFFFFL) << bits * i;
            }
        }
        return mask;
    }
}
