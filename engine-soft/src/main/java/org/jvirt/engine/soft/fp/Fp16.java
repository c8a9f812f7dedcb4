package org.jvirt.engine.soft.fp;

/// Half precision as F16C converts it; 16 bits in the low half of an int.
public final class Fp16 {
    private Fp16() {}

    /// VCVTPH2PS: exact. DAZ does not apply, and a denormal raises nothing.
    public static int toF32(Mxcsr m, int half) {
        boolean daz = m.denormalsAreZero;
        int raised = m.raised;
        m.denormalsAreZero = false;
        int bits = (int) Ieee.convert(m, IeeeFormat.F16, IeeeFormat.F32, half & 0xFFFF);
        m.denormalsAreZero = daz;
        m.raised = raised | m.raised & FpEnvironment.IE;
        return bits;
    }

    /// VCVTPS2PH. FTZ does not apply.
    ///
    /// @param immediate bits 0 and 1 the rounding mode, bit 2 to use MXCSR's instead
    public static int fromF32(Mxcsr m, int bits, int immediate) {
        boolean ftz = m.flushToZero;
        int mode = m.rounding;
        m.flushToZero = false;
        m.rounding = (immediate & 4) != 0 ? mode : immediate & 3;
        int half = (int) Ieee.convert(m, IeeeFormat.F32, IeeeFormat.F16, bits & 0xFFFF_FFFFL);
        m.flushToZero = ftz;
        m.rounding = mode;
        return half;
    }
}
