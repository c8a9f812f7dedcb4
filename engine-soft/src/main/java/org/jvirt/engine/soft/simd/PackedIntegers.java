package org.jvirt.engine.soft.simd;

/// Lane-wise integer arithmetic on one 64-bit word of a register: MMX has one such word, XMM two, YMM four.
/// In each function `a` is the first source (the destination of the two-operand forms), `b` the second.
///
/// Source: Intel SDM volume 2.
final class PackedIntegers {
    private static final long HIGH8 = 0x8080_8080_8080_8080L;
    private static final long HIGH16 = 0x8000_8000_8000_8000L;
    private static final long HIGH32 = 0x8000_0000_8000_0000L;
    private static final long LOW8 = 0x0101_0101_0101_0101L;

    private PackedIntegers() {}

    /// A function of two words.
    @FunctionalInterface
    interface Binary {
        long apply(long a, long b);
    }

    // The sum without the top bits cannot carry from lane to lane; they are added without carry.
    static long paddb(long a, long b) {
        return (a & ~HIGH8) + (b & ~HIGH8) ^ (a ^ b) & HIGH8;
    }

    static long paddw(long a, long b) {
        return (a & ~HIGH16) + (b & ~HIGH16) ^ (a ^ b) & HIGH16;
    }

    static long paddd(long a, long b) {
        return (a & ~HIGH32) + (b & ~HIGH32) ^ (a ^ b) & HIGH32;
    }

    static long paddq(long a, long b) {
        return a + b;
    }

    // With the top bit of every lane set in the minuend no lane borrows from the next.
    static long psubb(long a, long b) {
        return (a | HIGH8) - (b & ~HIGH8) ^ (a ^ ~b) & HIGH8;
    }

    static long psubw(long a, long b) {
        return (a | HIGH16) - (b & ~HIGH16) ^ (a ^ ~b) & HIGH16;
    }

    static long psubd(long a, long b) {
        return (a | HIGH32) - (b & ~HIGH32) ^ (a ^ ~b) & HIGH32;
    }

    static long psubq(long a, long b) {
        return a - b;
    }

    static long pand(long a, long b) {
        return a & b;
    }

    static long pandn(long a, long b) {
        return ~a & b;
    }

    static long por(long a, long b) {
        return a | b;
    }

    static long pxor(long a, long b) {
        return a ^ b;
    }

    /// All ones in each byte that is zero in `x`.
    private static long zeroBytes(long x) {
        long nonZero = (x & ~HIGH8) + ~HIGH8 | x;
        return ((~nonZero & HIGH8) >>> 7) * 0xff;
    }

    static long pcmpeqb(long a, long b) {
        return zeroBytes(a ^ b);
    }

    static long pcmpeqw(long a, long b) {
        long x = a ^ b;
        long nonZero = (x & ~HIGH16) + ~HIGH16 | x;
        return ((~nonZero & HIGH16) >>> 15) * 0xffff;
    }

    static long pcmpeqd(long a, long b) {
        return ((int) a == (int) b ? 0xffff_ffffL : 0) | (a >>> 32 == b >>> 32 ? 0xffff_ffffL << 32 : 0);
    }

    static long pcmpeqq(long a, long b) {
        return a == b ? -1 : 0;
    }

    static long pcmpgtb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= (byte) (a >>> i) > (byte) (b >>> i) ? 0xffL << i : 0;
        }
        return result;
    }

    static long pcmpgtw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (short) (a >>> i) > (short) (b >>> i) ? 0xffffL << i : 0;
        }
        return result;
    }

    static long pcmpgtd(long a, long b) {
        return ((int) a > (int) b ? 0xffff_ffffL : 0) | (a >> 32 > b >> 32 ? 0xffff_ffffL << 32 : 0);
    }

    static long pcmpgtq(long a, long b) {
        return a > b ? -1 : 0;
    }

    static long pminub(long a, long b) {
        long less = unsignedLessBytes(a, b);
        return a & less | b & ~less;
    }

    static long pmaxub(long a, long b) {
        long less = unsignedLessBytes(a, b);
        return b & less | a & ~less;
    }

    /// All ones in each byte where `a` is below `b`, both unsigned.
    private static long unsignedLessBytes(long a, long b) {
        long difference = (a | HIGH8) - (b & ~HIGH8);
        // The borrow out of each byte: from the top bits where they differ, else from the seven bits below.
        long borrow = (~a & b | ~(a ^ b) & ~difference) & HIGH8;
        return (borrow >>> 7) * 0xff;
    }

    static long pminsb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= (Math.min((byte) (a >>> i), (byte) (b >>> i)) & 0xffL) << i;
        }
        return result;
    }

    static long pmaxsb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= (Math.max((byte) (a >>> i), (byte) (b >>> i)) & 0xffL) << i;
        }
        return result;
    }

    static long pminsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (Math.min((short) (a >>> i), (short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long pmaxsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (Math.max((short) (a >>> i), (short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long pminuw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= Math.min(a >>> i & 0xffff, b >>> i & 0xffff) << i;
        }
        return result;
    }

    static long pmaxuw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= Math.max(a >>> i & 0xffff, b >>> i & 0xffff) << i;
        }
        return result;
    }

    static long pminsd(long a, long b) {
        return join(Math.min((int) a, (int) b), Math.min((int) (a >> 32), (int) (b >> 32)));
    }

    static long pmaxsd(long a, long b) {
        return join(Math.max((int) a, (int) b), Math.max((int) (a >> 32), (int) (b >> 32)));
    }

    static long pminud(long a, long b) {
        return Math.min(a & 0xffff_ffffL, b & 0xffff_ffffL) | Math.min(a >>> 32, b >>> 32) << 32;
    }

    static long pmaxud(long a, long b) {
        return Math.max(a & 0xffff_ffffL, b & 0xffff_ffffL) | Math.max(a >>> 32, b >>> 32) << 32;
    }

    static long paddsb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= (saturate8((byte) (a >>> i) + (byte) (b >>> i)) & 0xffL) << i;
        }
        return result;
    }

    static long psubsb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= (saturate8((byte) (a >>> i) - (byte) (b >>> i)) & 0xffL) << i;
        }
        return result;
    }

    static long paddsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (saturate16((short) (a >>> i) + (short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long psubsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (saturate16((short) (a >>> i) - (short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long paddusb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= Math.min((a >>> i & 0xff) + (b >>> i & 0xff), 0xff) << i;
        }
        return result;
    }

    static long psubusb(long a, long b) {
        return psubb(a, pminub(a, b));
    }

    static long paddusw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= Math.min((a >>> i & 0xffff) + (b >>> i & 0xffff), 0xffff) << i;
        }
        return result;
    }

    static long psubusw(long a, long b) {
        return psubw(a, pminuw(a, b));
    }

    static long pavgb(long a, long b) {
        // a + b = 2 * (a | b) - (a ^ b)
        return psubb(a | b, (a ^ b) >>> 1 & ~HIGH8);
    }

    static long pavgw(long a, long b) {
        return psubw(a | b, (a ^ b) >>> 1 & ~HIGH16);
    }

    static long pmullw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= ((short) (a >>> i) * (short) (b >>> i) & 0xffffL) << i;
        }
        return result;
    }

    static long pmulhw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= ((short) (a >>> i) * (short) (b >>> i) >> 16 & 0xffffL) << i;
        }
        return result;
    }

    static long pmulhuw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= ((a >>> i & 0xffff) * (b >>> i & 0xffff) >>> 16) << i;
        }
        return result;
    }

    static long pmulhrsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            int product = (short) (a >>> i) * (short) (b >>> i);
            result |= ((product >> 14) + 1 >> 1 & 0xffffL) << i;
        }
        return result;
    }

    static long pmulld(long a, long b) {
        return join((int) a * (int) b, (int) (a >>> 32) * (int) (b >>> 32));
    }

    static long pmuludq(long a, long b) {
        return (a & 0xffff_ffffL) * (b & 0xffff_ffffL);
    }

    static long pmuldq(long a, long b) {
        return (long) (int) a * (int) b;
    }

    static long pmaddwd(long a, long b) {
        return join(
                (short) a * (short) b + (short) (a >>> 16) * (short) (b >>> 16),
                (short) (a >>> 32) * (short) (b >>> 32) + (short) (a >>> 48) * (short) (b >>> 48));
    }

    /// Unsigned bytes of `a` times signed bytes of `b`.
    static long pmaddubsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            int sum = (int) (a >>> i & 0xff) * (byte) (b >>> i) + (int) (a >>> i + 8 & 0xff) * (byte) (b >>> i + 8);
            result |= (saturate16(sum) & 0xffffL) << i;
        }
        return result;
    }

    static long psadbw(long a, long b) {
        long sum = 0;
        for (int i = 0; i < 64; i += 8) {
            sum += Math.abs((int) (a >>> i & 0xff) - (int) (b >>> i & 0xff));
        }
        return sum;
    }

    static long pabsb(long a, long b) {
        long negative = ((b & HIGH8) >>> 7) * 0xff;
        return paddb(b ^ negative, negative & LOW8);
    }

    static long pabsw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= (Math.abs((short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long pabsd(long a, long b) {
        return join(Math.abs((int) b), Math.abs((int) (b >> 32)));
    }

    static long psignb(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 8) {
            result |= ((byte) (a >>> i) * Integer.signum((byte) (b >>> i)) & 0xffL) << i;
        }
        return result;
    }

    static long psignw(long a, long b) {
        long result = 0;
        for (int i = 0; i < 64; i += 16) {
            result |= ((short) (a >>> i) * Integer.signum((short) (b >>> i)) & 0xffffL) << i;
        }
        return result;
    }

    static long psignd(long a, long b) {
        return join((int) a * Integer.signum((int) b), (int) (a >> 32) * Integer.signum((int) (b >> 32)));
    }

    static int saturate8(int value) {
        return Math.clamp(value, Byte.MIN_VALUE, Byte.MAX_VALUE);
    }

    static int saturate16(int value) {
        return Math.clamp(value, Short.MIN_VALUE, Short.MAX_VALUE);
    }

    static long join(int low, int high) {
        return low & 0xffff_ffffL | (long) high << 32;
    }
}
