package org.jvirt.engine.soft.fp;

/// The x87 arithmetic's environment: control word, exceptions of the current instruction and its results.
///
/// [Fp80] and its relatives write a result as a 64-bit significand with explicit integer bit ([#significand]) and a
/// 16-bit sign and exponent ([#signExponent]); nothing is allocated. Instructions with two results (FSINCOS, FPTAN,
/// FXTRACT) write the one to be pushed into the second pair. Not thread-safe.
public final class X87Environment extends FpEnvironment {
    private static final int[] PRECISIONS = {24, 64, 53, 64};

    /// Significand bits of arithmetic results: 24, 53 or 64.
    int precision = 64;

    /// The reduced argument of a circular function: `reducedHigh:reducedLow * 2^(reducedScale-128)` and its sign.
    long reducedHigh;

    long reducedLow;
    int reducedScale;
    boolean reducedNegative;

    /// Scratch of the transcendental functions.
    final Fixed128 fixed = new Fixed128();

    long significand;
    int signExponent;
    long pushedSignificand;
    int pushedSignExponent;

    /// Condition bits C0, C2, C3 in their status word positions, where the operation defines them.
    int conditions;

    /// The memory operand last converted was a denormal of its own format.
    boolean denormalLoaded;

    /// A fresh environment as FNINIT leaves it.
    public X87Environment() {}

    /// Takes rounding, precision and masks from a control word.
    public void control(int controlWord) {
        masks = controlWord & ALL;
        rounding = controlWord >>> 10 & 3;
        precision = PRECISIONS[controlWord >>> 8 & 3];
    }

    /// Forgets the exceptions of the previous operation.
    public void begin() {
        raised = 0;
        roundedUp = false;
        conditions = 0;
    }

    /// Exceptions raised since [#begin].
    public int raised() {
        return raised;
    }

    /// Whether the last result was rounded away from zero.
    public boolean roundedUp() {
        return roundedUp;
    }

    /// Significand of the result.
    public long significand() {
        return significand;
    }

    /// Sign (bit 15) and biased exponent of the result.
    public int signExponent() {
        return signExponent;
    }

    /// Whether an exception without result (invalid, denormal operand, division by zero) is unmasked.
    boolean noResult() {
        return (raised & ~masks & PRE) != 0;
    }

    /// Raises and tells whether the operation must stop because the exception is unmasked.
    boolean stops(int exception) {
        raised |= exception;
        return (masks & exception) == 0;
    }

    void result(long sig, int se) {
        significand = sig;
        signExponent = se;
    }

    void resultIndefinite() {
        significand = 0xC000_0000_0000_0000L;
        signExponent = 0xFFFF;
    }
}
