package org.jvirt.engine.soft.fp;

/// The SSE control and status register as environment of [Fp16], [Fp32] and [Fp64].
///
/// One instruction is one round of [#begin], the operations on its elements, and [#commit]:
///
/// ```
/// mxcsr.begin();
/// long low = Fp64.add(mxcsr, a0, b0);
/// long high = Fp64.add(mxcsr, a1, b1);
/// if (mxcsr.commit()) throw simdException();   // #XM, destination unchanged
/// ```
///
/// Not thread-safe.
public final class Mxcsr extends FpEnvironment {
    /// Value after reset: everything masked, round to nearest.
    public static final int RESET = 0x1F80;

    /// Bits that may be set (MXCSR_MASK of FXSAVE); loading any other is #GP.
    public static final int MASK = 0xFFFF;

    private static final int DAZ = 1 << 6;
    private static final int FTZ = 1 << 15;

    private int control = RESET & ~ALL;

    /// Accumulated flags, bits 0 to 5.
    int sticky;

    /// Nearest rounding and everything masked: the fast ways apply. DAZ and FTZ do not matter to their operands.
    boolean plain = true;

    /// A register with the reset value.
    public Mxcsr() {}

    /// The register's value.
    public int value() {
        return control | sticky;
    }

    /// Loads the register; the caller has checked the value against [#MASK].
    public void value(int v) {
        control = v & MASK & ~ALL;
        sticky = v & ALL;
        masks = v >>> 7 & ALL;
        rounding = v >>> 13 & 3;
        denormalsAreZero = (v & DAZ) != 0;
        flushToZero = (v & FTZ) != 0;
        plain = rounding == NEAREST && masks == ALL;
        raised = 0;
    }

    /// Starts an instruction.
    public void begin() {
        raised = 0;
    }

    /// Ends an instruction: its exceptions become sticky. An unmasked exception found before the computation (IE,
    /// DE, ZE, in any element) hides those found after it.
    ///
    /// @return whether an unmasked exception was raised, so that the destination stays unchanged and #XM follows
    public boolean commit() {
        int r = raised;
        if ((r & ~sticky) == 0 && (r & ~masks) == 0) {
            return false;
        }
        if ((r & ~masks & PRE) != 0) {
            r &= PRE;
        }
        sticky |= r;
        return (r & ~masks) != 0;
    }

    /// Exceptions raised since [#begin].
    public int raised() {
        return raised;
    }

    /// Whether finding out about inexactness can be left out.
    boolean inexactKnown() {
        return (sticky & PE) != 0;
    }

    /// The rounding mode of the control bits.
    public int rounding() {
        return rounding;
    }
}
