package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

/// Shifts of the lanes of one 64-bit word.
///
/// Source: Intel SDM volume 2, PSLLW/PSLLD/PSLLQ, PSRAW/PSRAD, PSRLW/PSRLD/PSRLQ, VPSLLV, VPSRAV, VPSRLV.
final class PackedShifts {
    /// A count that shifts everything out of every lane.
    static final int ALL = 64;

    private static final long LANES16 = 0x0001_0001_0001_0001L;

    private PackedShifts() {}

    /// A shift of every lane by one count, 0 to [#ALL].
    @FunctionalInterface
    interface Shift {
        long apply(long a, int count);
    }

    /// A count operand as a count for [Shift].
    static int count(long operand) {
        return Long.compareUnsigned(operand, ALL) > 0 ? ALL : (int) operand;
    }

    static long psllw(long a, int count) {
        return count > 15 ? 0 : a << count & (0xFFFF << count & 0xFFFF) * LANES16;
    }

    static long pslld(long a, int count) {
        return count > 31 ? 0 : join((int) a << count, (int) (a >>> 32) << count);
    }

    static long psllq(long a, int count) {
        return count > 63 ? 0 : a << count;
    }

    static long psrlw(long a, int count) {
        return count > 15 ? 0 : a >>> count & (0xFFFF >>> count) * LANES16;
    }

    static long psrld(long a, int count) {
        return count > 31 ? 0 : join((int) a >>> count, (int) (a >>> 32) >>> count);
    }

    static long psrlq(long a, int count) {
        return count > 63 ? 0 : a >>> count;
    }

    static long psraw(long a, int count) {
        int n = Math.min(count, 15);
        return ((short) a >> n & 0xFFFFL)
                | ((short) (a >>> 16) >> n & 0xFFFFL) << 16
                | ((short) (a >>> 32) >> n & 0xFFFFL) << 32
                | (long) ((short) (a >>> 48) >> n) << 48;
    }

    static long psrad(long a, int count) {
        int n = Math.min(count, 31);
        return join((int) a >> n, (int) (a >>> 32) >> n);
    }

    static long psllvd(long a, long b) {
        return pslld(a, count(b & 0xFFFF_FFFFL)) & 0xFFFF_FFFFL | pslld(a, count(b >>> 32)) & -1L << 32;
    }

    static long psllvq(long a, long b) {
        return psllq(a, count(b));
    }

    static long psrlvd(long a, long b) {
        return psrld(a, count(b & 0xFFFF_FFFFL)) & 0xFFFF_FFFFL | psrld(a, count(b >>> 32)) & -1L << 32;
    }

    static long psrlvq(long a, long b) {
        return psrlq(a, count(b));
    }

    static long psravd(long a, long b) {
        return psrad(a, count(b & 0xFFFF_FFFFL)) & 0xFFFF_FFFFL | psrad(a, count(b >>> 32)) & -1L << 32;
    }
}
