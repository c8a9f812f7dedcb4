package org.jvirt.engine.soft.fp;

/// What an operation of the IEEE 754 arithmetic reads and writes beside its operands: rounding mode, exception
/// masks and denormal handling on the one side, the exceptions raised and the rounding direction on the other.
///
/// The exception bits have the position that both MXCSR and the x87 status word give them. Not thread-safe: each
/// virtual CPU owns its environments.
///
/// Source: Intel SDM volume 1, sections 4.9 (exceptions), 8.1.5 (x87 control word), 10.2.3 (MXCSR).
public abstract sealed class FpEnvironment permits Mxcsr, X87Environment {
    /// Invalid operation.
    public static final int IE = 1;

    /// Denormal operand.
    public static final int DE = 2;

    /// Division by zero.
    public static final int ZE = 4;

    /// Overflow.
    public static final int OE = 8;

    /// Underflow.
    public static final int UE = 16;

    /// Precision (inexact result).
    public static final int PE = 32;

    /// All six exceptions.
    public static final int ALL = 63;

    /// The exceptions found before the computation: when one of them is unmasked there is no result.
    static final int PRE = IE | DE | ZE;

    /// Round to nearest, ties to even.
    public static final int NEAREST = 0;

    /// Round toward minus infinity.
    public static final int DOWN = 1;

    /// Round toward plus infinity.
    public static final int UP = 2;

    /// Round toward zero.
    public static final int ZERO = 3;

    /// One of [#NEAREST], [#DOWN], [#UP], [#ZERO].
    int rounding;

    /// Set bits are masked exceptions.
    int masks = ALL;

    /// Exceptions of the current instruction.
    int raised;

    /// Denormal operands count as zero (MXCSR.DAZ).
    boolean denormalsAreZero;

    /// Tiny results become zero while underflow is masked (MXCSR.FTZ).
    boolean flushToZero;

    /// The last rounding increased the magnitude (the x87's C1).
    boolean roundedUp;

    FpEnvironment() {}

    final void raise(int exceptions) {
        raised |= exceptions;
    }

    final boolean masked(int exception) {
        return (masks & exception) != 0;
    }

    /// Whether a magnitude is incremented in this rounding mode.
    ///
    /// @param negative sign of the value
    /// @param odd whether the kept last bit is set
    /// @param guard whether the first discarded bit is set
    /// @param rest whether any further discarded bit is set
    final boolean increments(boolean negative, boolean odd, boolean guard, boolean rest) {
        return switch (rounding) {
            case NEAREST -> guard && (rest || odd);
            case DOWN -> negative && (guard || rest);
            case UP -> !negative && (guard || rest);
            default -> false;
        };
    }

    /// Whether an overflowing value of this sign becomes infinity rather than the greatest finite number.
    final boolean overflowsToInfinity(boolean negative) {
        return switch (rounding) {
            case NEAREST -> true;
            case DOWN -> negative;
            case UP -> !negative;
            default -> false;
        };
    }
}
