package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;
import static org.jvirt.engine.soft.simd.PackedIntegers.saturate16;
import static org.jvirt.engine.soft.simd.PackedIntegers.saturate8;

/// Functions of two words that move or combine elements across them. For MMX the words are the two operands; for
/// XMM what they are is said at each group.
///
/// Source: Intel SDM volume 2.
final class PackedShuffles {
    private PackedShuffles() {}

    // ---- packs and horizontal sums: the low word of the result from both words of the first operand, the high word
    // from both words of the second

    static long packsswb(long x, long y) {
        return signedBytes(x) | signedBytes(y) << 32;
    }

    private static long signedBytes(long words) {
        long result = 0;
        for (int i = 0; i < 4; i++) {
            result |= (saturate8((short) (words >>> 16 * i)) & 0xFFL) << 8 * i;
        }
        return result;
    }

    static long packuswb(long x, long y) {
        return unsignedBytes(x) | unsignedBytes(y) << 32;
    }

    private static long unsignedBytes(long words) {
        long result = 0;
        for (int i = 0; i < 4; i++) {
            result |= (long) Math.clamp((short) (words >>> 16 * i), 0, 0xFF) << 8 * i;
        }
        return result;
    }

    static long packssdw(long x, long y) {
        return saturate16((int) x) & 0xFFFFL
                | (saturate16((int) (x >> 32)) & 0xFFFFL) << 16
                | (saturate16((int) y) & 0xFFFFL) << 32
                | (long) saturate16((int) (y >> 32)) << 48;
    }

    static long packusdw(long x, long y) {
        return (long) Math.clamp((int) x, 0, 0xFFFF)
                | (long) Math.clamp((int) (x >> 32), 0, 0xFFFF) << 16
                | (long) Math.clamp((int) y, 0, 0xFFFF) << 32
                | (long) Math.clamp((int) (y >> 32), 0, 0xFFFF) << 48;
    }

    static long phaddw(long x, long y) {
        return PackedIntegers.paddw(evenWords(x, y), oddWords(x, y));
    }

    static long phaddsw(long x, long y) {
        return PackedIntegers.paddsw(evenWords(x, y), oddWords(x, y));
    }

    static long phsubw(long x, long y) {
        return PackedIntegers.psubw(evenWords(x, y), oddWords(x, y));
    }

    static long phsubsw(long x, long y) {
        return PackedIntegers.psubsw(evenWords(x, y), oddWords(x, y));
    }

    static long phaddd(long x, long y) {
        return join((int) x + (int) (x >>> 32), (int) y + (int) (y >>> 32));
    }

    static long phsubd(long x, long y) {
        return join((int) x - (int) (x >>> 32), (int) y - (int) (y >>> 32));
    }

    private static long evenWords(long x, long y) {
        return x & 0xFFFF | x >>> 16 & 0xFFFF_0000L | (y & 0xFFFF) << 32 | (y & 0xFFFF_0000_0000L) << 16;
    }

    private static long oddWords(long x, long y) {
        return evenWords(x >>> 16, y >>> 16);
    }

    // ---- interleaving: the words have the same number in both operands; the low halves give the first word of the
    // result

    static long punpcklbw(long x, long y) {
        return spreadBytes(x & 0xFFFF_FFFFL) | spreadBytes(y & 0xFFFF_FFFFL) << 8;
    }

    static long punpckhbw(long x, long y) {
        return spreadBytes(x >>> 32) | spreadBytes(y >>> 32) << 8;
    }

    private static long spreadBytes(long x) {
        long pairs = (x | x << 16) & 0x0000_FFFF_0000_FFFFL;
        return (pairs | pairs << 8) & 0x00FF_00FF_00FF_00FFL;
    }

    static long punpcklwd(long x, long y) {
        return spreadWords(x & 0xFFFF_FFFFL) | spreadWords(y & 0xFFFF_FFFFL) << 16;
    }

    static long punpckhwd(long x, long y) {
        return spreadWords(x >>> 32) | spreadWords(y >>> 32) << 16;
    }

    private static long spreadWords(long x) {
        return (x | x << 16) & 0x0000_FFFF_0000_FFFFL;
    }

    static long punpckldq(long x, long y) {
        return x & 0xFFFF_FFFFL | y << 32;
    }

    static long punpckhdq(long x, long y) {
        return x >>> 32 | y & 0xFFFF_FFFF_0000_0000L;
    }

    // ---- MMX only

    /// `PSHUFB` on MMX registers.
    static long pshufb(long table, long selectors) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            int selector = (int) (selectors >>> i);
            if ((selector & 0x80) == 0) {
                result |= (table >>> 8 * (selector & 7) & 0xFF) << i;
            }
        }
        return result;
    }

    /// `PSHUFW`, and the halves that `PSHUFLW` and `PSHUFHW` shuffle.
    static long pshufw(long x, int imm) {
        return (x >>> 16 * (imm & 3) & 0xFFFF)
                | (x >>> 16 * (imm >>> 2 & 3) & 0xFFFF) << 16
                | (x >>> 16 * (imm >>> 4 & 3) & 0xFFFF) << 32
                | x >>> 16 * (imm >>> 6 & 3) << 48;
    }

    /// `PALIGNR` on MMX registers: eight bytes from byte `count` of `high:low` on.
    static long palignr(long high, long low, int count) {
        return window(low, high, 0, 8 * count);
    }

    /// 64 bits from bit `shift` on of the number `w2:w1:w0`; zero beyond it.
    static long window(long w0, long w1, long w2, int shift) {
        int n = shift & 63;
        return switch (shift >>> 6) {
            case 0 -> n == 0 ? w0 : w0 >>> n | w1 << 64 - n;
            case 1 -> n == 0 ? w1 : w1 >>> n | w2 << 64 - n;
            case 2 -> w2 >>> n;
            default -> 0;
        };
    }
}
