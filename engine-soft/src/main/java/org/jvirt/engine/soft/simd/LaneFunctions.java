package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

/// Functions of two 128-bit lanes, `a1:a0` the first source and `b1:b0` the last, that give one word of the
/// resulting lane.
///
/// Source: Intel SDM volume 2.
final class LaneFunctions {
    private LaneFunctions() {}

    /// One word of the result.
    @FunctionalInterface
    interface Lane {
        /// @param half 0 for the low word of the result, 1 for the high word
        /// @param imm the immediate byte, shifted to the bits that belong to the lane
        long apply(int half, long a0, long a1, long b0, long b1, int imm);
    }

    static long first(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? a0 : b0;
    }

    static long second(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? a1 : b1;
    }

    static long movlps(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? b0 : a1;
    }

    static long movhlps(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? b1 : a1;
    }

    static long movddup(int half, long a0, long a1, long b0, long b1, int imm) {
        return b0;
    }

    static long movsldup(int half, long a0, long a1, long b0, long b1, int imm) {
        long b = half == 0 ? b0 : b1;
        return b & 0xFFFF_FFFFL | b << 32;
    }

    static long movshdup(int half, long a0, long a1, long b0, long b1, int imm) {
        long b = half == 0 ? b0 : b1;
        return b >>> 32 | b & 0xFFFF_FFFF_0000_0000L;
    }

    static long pshufd(int half, long a0, long a1, long b0, long b1, int imm) {
        int selectors = imm >>> 4 * half;
        return join(element32(b0, b1, selectors), element32(b0, b1, selectors >>> 2));
    }

    static long pshuflw(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? PackedShuffles.pshufw(b0, imm) : b1;
    }

    static long pshufhw(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? b0 : PackedShuffles.pshufw(b1, imm);
    }

    static long shufps(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0
                ? join(element32(a0, a1, imm), element32(a0, a1, imm >>> 2))
                : join(element32(b0, b1, imm >>> 4), element32(b0, b1, imm >>> 6));
    }

    static long shufpd(int half, long a0, long a1, long b0, long b1, int imm) {
        if (half == 0) {
            return (imm & 1) == 0 ? a0 : a1;
        }
        return (imm & 2) == 0 ? b0 : b1;
    }

    private static int element32(long w0, long w1, int index) {
        long word = (index & 2) == 0 ? w0 : w1;
        return (int) (word >>> ((index & 1) << 5));
    }

    /// `VPERMILPS` with selectors in the last source.
    static long permilps(int half, long a0, long a1, long b0, long b1, int imm) {
        long selectors = half == 0 ? b0 : b1;
        return join(element32(a0, a1, (int) selectors), element32(a0, a1, (int) (selectors >>> 32)));
    }

    /// `VPERMILPD` with selectors in the last source.
    static long permilpd(int half, long a0, long a1, long b0, long b1, int imm) {
        long selector = half == 0 ? b0 : b1;
        return (selector & 2) == 0 ? a0 : a1;
    }

    /// `VPERMILPD` with an immediate.
    static long permilpdImmediate(int half, long a0, long a1, long b0, long b1, int imm) {
        return (imm >>> half & 1) == 0 ? b0 : b1;
    }

    static long pslldq(int half, long a0, long a1, long b0, long b1, int imm) {
        int shift = 8 * Math.min(imm, 16);
        // 128 zero bits, then the operand: the result ends `shift` bits before its end
        int from = 128 - shift + 64 * half;
        return from < 64 ? PackedShuffles.window(0, 0, b0, from) : PackedShuffles.window(0, b0, b1, from - 64);
    }

    static long psrldq(int half, long a0, long a1, long b0, long b1, int imm) {
        return PackedShuffles.window(b0, b1, 0, 8 * Math.min(imm, 16) + 64 * half);
    }

    /// The first source is the upper half of what is shifted.
    static long palignr(int half, long a0, long a1, long b0, long b1, int imm) {
        int from = 8 * Math.min(imm, 32) + 64 * half;
        return from < 64 ? PackedShuffles.window(b0, b1, a0, from) : PackedShuffles.window(b1, a0, a1, from - 64);
    }

    static long pshufb(int half, long a0, long a1, long b0, long b1, int imm) {
        long selectors = half == 0 ? b0 : b1;
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            int selector = (int) (selectors >>> i);
            if ((selector & 0x80) == 0) {
                long word = (selector & 8) == 0 ? a0 : a1;
                result |= (word >>> 8 * (selector & 7) & 0xFF) << i;
            }
        }
        return result;
    }

    static long pblendw(int half, long a0, long a1, long b0, long b1, int imm) {
        long mask = 0;
        for (int i = 0; i < 4; i++) {
            mask |= (imm >>> 4 * half + i & 1) != 0 ? 0xFFFFL << 16 * i : 0;
        }
        return half == 0 ? a0 & ~mask | b0 & mask : a1 & ~mask | b1 & mask;
    }

    static long blendps(int half, long a0, long a1, long b0, long b1, int imm) {
        long a = half == 0 ? a0 : a1;
        long b = half == 0 ? b0 : b1;
        int bits = imm >>> 2 * half;
        return ((bits & 1) == 0 ? a : b) & 0xFFFF_FFFFL | ((bits & 2) == 0 ? a : b) & 0xFFFF_FFFF_0000_0000L;
    }

    static long blendpd(int half, long a0, long a1, long b0, long b1, int imm) {
        if ((imm >>> half & 1) == 0) {
            return half == 0 ? a0 : a1;
        }
        return half == 0 ? b0 : b1;
    }

    /// `INSERTPS` from memory has the element at `b0`'s bottom, and ignores the selector of the source.
    static long insertps(long b0, long b1, int imm, boolean memory) {
        return memory ? b0 & 0xFFFF_FFFFL : element32(b0, b1, imm >>> 6) & 0xFFFF_FFFFL;
    }

    static long phminposuw(int half, long a0, long a1, long b0, long b1, int imm) {
        if (half == 1) {
            return 0;
        }
        long least = b0 & 0xFFFF;
        int at = 0;
        for (int i = 1; i < 8; i++) {
            long value = (i < 4 ? b0 : b1) >>> 16 * (i & 3) & 0xFFFF;
            if (value < least) {
                least = value;
                at = i;
            }
        }
        return least | (long) at << 16;
    }

    static long mpsadbw(int half, long a0, long a1, long b0, long b1, int imm) {
        int block = element32(b0, b1, imm);
        int from = (imm >>> 2 & 1) * 32 + 32 * half;
        // eleven bytes from byte 4 * imm[2] on; the four sums of this half need seven of them
        long bytes = from < 64 ? PackedShuffles.window(a0, a1, 0, from) : PackedShuffles.window(a1, 0, 0, from - 64);
        long result = 0;
        for (int i = 0; i < 4; i++) {
            long sum = 0;
            for (int k = 0; k < 4; k++) {
                sum += Math.abs((int) (bytes >>> 8 * (i + k) & 0xFF) - (block >>> 8 * k & 0xFF));
            }
            result |= sum << 16 * i;
        }
        return result;
    }

    static long pclmulqdq(int half, long a0, long a1, long b0, long b1, int imm) {
        long x = (imm & 1) == 0 ? a0 : a1;
        long y = (imm & 0x10) == 0 ? b0 : b1;
        long result = 0;
        if (half == 0) {
            for (int i = 0; i < 64; i++) {
                result ^= x << i & -(y >>> i & 1);
            }
        } else {
            for (int i = 1; i < 64; i++) {
                result ^= x >>> 64 - i & -(y >>> i & 1);
            }
        }
        return result;
    }
}
