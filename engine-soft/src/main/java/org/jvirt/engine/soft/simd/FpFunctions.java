package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.FpEstimate;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Mnemonic;

/// What the floating-point instructions compute from elements, words and lanes. The exceptions gather in [Mxcsr].
///
/// `RCPPS` and `RSQRTPS` are those of [FpEstimate].
final class FpFunctions {
    private FpFunctions() {}

    /// From corresponding single-precision elements.
    @FunctionalInterface
    interface SinglePrecision {
        int apply(Mxcsr m, int a, int b, int imm);
    }

    /// From corresponding double-precision elements.
    @FunctionalInterface
    interface DoublePrecision {
        long apply(Mxcsr m, long a, long b, int imm);
    }

    /// One word of a lane from the lanes of both operands.
    @FunctionalInterface
    interface Lane {
        long apply(Mxcsr m, int half, long a0, long a1, long b0, long b1, int imm);
    }

    static @Nullable SinglePrecision single(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case ADDPS, VADDPS, ADDSS, VADDSS -> (m, a, b, imm) -> Fp32.add(m, a, b);
            case SUBPS, VSUBPS, SUBSS, VSUBSS -> (m, a, b, imm) -> Fp32.sub(m, a, b);
            case MULPS, VMULPS, MULSS, VMULSS -> (m, a, b, imm) -> Fp32.mul(m, a, b);
            case DIVPS, VDIVPS, DIVSS, VDIVSS -> (m, a, b, imm) -> Fp32.div(m, a, b);
            case MINPS, VMINPS, MINSS, VMINSS -> (m, a, b, imm) -> Fp32.min(m, a, b);
            case MAXPS, VMAXPS, MAXSS, VMAXSS -> (m, a, b, imm) -> Fp32.max(m, a, b);
            case SQRTPS, VSQRTPS, SQRTSS, VSQRTSS -> (m, a, b, imm) -> Fp32.sqrt(m, b);
            case RCPPS, VRCPPS, RCPSS, VRCPSS -> (m, a, b, imm) -> FpEstimate.reciprocal(b);
            case RSQRTPS, VRSQRTPS, RSQRTSS, VRSQRTSS -> (m, a, b, imm) -> FpEstimate.reciprocalRoot(b);
            case ROUNDPS, VROUNDPS, ROUNDSS, VROUNDSS -> (m, a, b, imm) -> Fp32.roundToIntegral(m, b, imm);
            case CMPPS, CMPSS -> (m, a, b, imm) -> Fp32.compare(m, a, b, imm & 7) ? -1 : 0;
            case VCMPPS, VCMPSS -> (m, a, b, imm) -> Fp32.compare(m, a, b, imm & 31) ? -1 : 0;
            case CVTDQ2PS, VCVTDQ2PS -> (m, a, b, imm) -> Fp32.fromInt32(m, b);
            case CVTPS2DQ, VCVTPS2DQ -> (m, a, b, imm) -> Fp32.toInt32(m, b);
            case CVTTPS2DQ, VCVTTPS2DQ -> (m, a, b, imm) -> Fp32.truncateToInt32(m, b);
            default -> null;
        };
    }

    static @Nullable DoublePrecision doublePrecision(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case ADDPD, VADDPD, ADDSD, VADDSD -> (m, a, b, imm) -> Fp64.add(m, a, b);
            case SUBPD, VSUBPD, SUBSD, VSUBSD -> (m, a, b, imm) -> Fp64.sub(m, a, b);
            case MULPD, VMULPD, MULSD, VMULSD -> (m, a, b, imm) -> Fp64.mul(m, a, b);
            case DIVPD, VDIVPD, DIVSD, VDIVSD -> (m, a, b, imm) -> Fp64.div(m, a, b);
            case MINPD, VMINPD, MINSD, VMINSD -> (m, a, b, imm) -> Fp64.min(m, a, b);
            case MAXPD, VMAXPD, MAXSD, VMAXSD -> (m, a, b, imm) -> Fp64.max(m, a, b);
            case SQRTPD, VSQRTPD, SQRTSD, VSQRTSD -> (m, a, b, imm) -> Fp64.sqrt(m, b);
            case ROUNDPD, VROUNDPD, ROUNDSD, VROUNDSD -> (m, a, b, imm) -> Fp64.roundToIntegral(m, b, imm);
            case CMPPD, CMPSD -> (m, a, b, imm) -> Fp64.compare(m, a, b, imm & 7) ? -1 : 0;
            case VCMPPD, VCMPSD -> (m, a, b, imm) -> Fp64.compare(m, a, b, imm & 31) ? -1 : 0;
            case CVTSS2SD, VCVTSS2SD -> (m, a, b, imm) -> Fp32.toF64(m, (int) b);
            default -> null;
        };
    }

    static @Nullable Lane lane(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case HADDPS, VHADDPS ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? addPairs(m, a0, a1) : addPairs(m, b0, b1);
            case HSUBPS, VHSUBPS ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? subPairs(m, a0, a1) : subPairs(m, b0, b1);
            case HADDPD, VHADDPD ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? Fp64.add(m, a0, a1) : Fp64.add(m, b0, b1);
            case HSUBPD, VHSUBPD ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? Fp64.sub(m, a0, a1) : Fp64.sub(m, b0, b1);
            case ADDSUBPS, VADDSUBPS ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? subAdd(m, a0, b0) : subAdd(m, a1, b1);
            case ADDSUBPD, VADDSUBPD ->
                (m, half, a0, a1, b0, b1, imm) -> half == 0 ? Fp64.sub(m, a0, b0) : Fp64.add(m, a1, b1);
            default -> null;
        };
    }

    private static int high(long word) {
        return (int) (word >>> 32);
    }

    private static long addPairs(Mxcsr m, long x, long y) {
        return join(Fp32.add(m, (int) x, high(x)), Fp32.add(m, (int) y, high(y)));
    }

    private static long subPairs(Mxcsr m, long x, long y) {
        return join(Fp32.sub(m, (int) x, high(x)), Fp32.sub(m, (int) y, high(y)));
    }

    private static long subAdd(Mxcsr m, long a, long b) {
        return join(Fp32.sub(m, (int) a, (int) b), Fp32.add(m, high(a), high(b)));
    }
}
