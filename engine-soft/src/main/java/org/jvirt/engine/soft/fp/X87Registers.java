package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.ALL;

/// The state of an x87 unit: register stack, control, status and tag words, pointers; and the MMX view of it.
///
/// ```
/// physical register   7   6   5   4   3   2   1   0
///                    ST4 ST3 ST2 ST1 ST0 ST7 ST6 ST5    with TOP = 3
///                    MM7 MM6 MM5 MM4 MM3 MM2 MM1 MM0    whatever TOP
/// ```
///
/// A push decrements TOP. Of the tags only empty or not empty is kept, as hardware does; the rest follows from the
/// registers' content. Not thread-safe.
public abstract sealed class X87Registers permits X87 {
    /// Control word after FNINIT.
    public static final int CONTROL_INIT = 0x037F;

    static final int SF = 1 << 6;
    static final int C0 = 1 << 8;
    static final int C1 = 1 << 9;
    static final int C2 = 1 << 10;
    static final int C3 = 1 << 14;
    static final int CC = C0 | C1 | C2 | C3;
    static final int INDEFINITE_SE = 0xFFFF;
    static final long INDEFINITE = 0xC000_0000_0000_0000L;

    final X87Environment env = new X87Environment();
    final long[] significands = new long[8];
    final int[] signExponents = new int[8];
    int top;
    int full;
    int control;
    int status;

    private int opcode;
    private int codeSelector;
    private long instructionPointer;
    private int dataSelector;
    private long dataPointer;

    X87Registers() {
        fninit();
    }

    /// FNINIT: the registers keep their content, tagged empty.
    public final void fninit() {
        control(CONTROL_INIT);
        status = 0;
        top = 0;
        full = 0;
        pointers(0, 0, 0, 0, 0);
    }

    /// The control word.
    public final int control() {
        return control;
    }

    /// FLDCW. Unmasking an exception whose flag is set makes it pending.
    public final void control(int value) {
        control = value & 0x1F3F | 0x40;
        env.control(control);
    }

    /// The status word with TOP, ES and B, as FNSTSW stores it.
    public final int status() {
        return status | top << 11 | (pending() ? 0x8080 : 0);
    }

    /// Loads the status word as FLDENV and its relatives do. ES and B follow from flags and masks.
    public final void status(int value) {
        status = value & (ALL | SF | CC);
        top = value >>> 11 & 7;
    }

    /// FNCLEX.
    public final void fnclex() {
        status &= CC;
    }

    /// Masks all exceptions, as FNSTENV does once memory has been written.
    public final void maskAll() {
        control(control | ALL);
    }

    /// Whether an unmasked exception waits: the next waiting instruction must raise #MF.
    public final boolean pending() {
        return (status & ~control & ALL) != 0;
    }

    /// The tag word with two bits for each physical register: 0 valid, 1 zero, 2 special, 3 empty.
    public final int tags() {
        int word = 0;
        for (int r = 7; r >= 0; r--) {
            word = word << 2 | tag(r);
        }
        return word;
    }

    private int tag(int r) {
        if ((full & 1 << r) == 0) {
            return 3;
        }
        int exponent = signExponents[r] & 0x7FFF;
        if (exponent == 0 && significands[r] == 0) {
            return 1;
        }
        return exponent == 0 || exponent == 0x7FFF || significands[r] >= 0 ? 2 : 0;
    }

    /// Loads a tag word; only empty or not empty is taken from it, as hardware does.
    public final void tags(int word) {
        full = 0;
        for (int r = 0; r < 8; r++) {
            if ((word >>> 2 * r & 3) != 3) {
                full |= 1 << r;
            }
        }
    }

    /// The tag byte of FXSAVE: a set bit means that the physical register is not empty.
    public final int fullRegisters() {
        return full;
    }

    /// Loads the tag byte of FXRSTOR.
    public final void fullRegisters(int bits) {
        full = bits & 0xFF;
    }

    /// The physical number of ST(0).
    public final int top() {
        return top;
    }

    /// Significand of a *physical* register.
    public final long significand(int r) {
        return significands[r];
    }

    /// Sign and exponent of a *physical* register.
    public final int signExponent(int r) {
        return signExponents[r];
    }

    /// Loads a *physical* register without touching its tag.
    public final void register(int r, long sig, int signExponent) {
        significands[r] = sig;
        signExponents[r] = signExponent & 0xFFFF;
    }

    /// Significand of ST(i), as FNSAVE and FXSAVE store it in slot i.
    public final long stSignificand(int i) {
        return significands[top + i & 7];
    }

    /// Sign and exponent of ST(i).
    public final int stSignExponent(int i) {
        return signExponents[top + i & 7];
    }

    /// Loads ST(i) without touching its tag, as FRSTOR and FXRSTOR do once TOP is loaded.
    public final void st(int i, long sig, int signExponent) {
        register(top + i & 7, sig, signExponent);
    }

    /// Notes the last non-control instruction. The opcode has eleven bits: the low three of the first byte, then
    /// ModRM.
    public final void instruction(int opcode, int codeSelector, long instructionPointer) {
        this.opcode = opcode & 0x7FF;
        this.codeSelector = codeSelector;
        this.instructionPointer = instructionPointer;
    }

    /// Notes the memory operand of the last non-control instruction.
    public final void operand(int dataSelector, long dataPointer) {
        this.dataSelector = dataSelector;
        this.dataPointer = dataPointer;
    }

    /// Loads all pointers at once.
    public final void pointers(
            int opcode, int codeSelector, long instructionPointer, int dataSelector, long dataPointer) {
        instruction(opcode, codeSelector, instructionPointer);
        operand(dataSelector, dataPointer);
    }

    /// Opcode (eleven bits) of the last non-control instruction.
    public final int opcode() {
        return opcode;
    }

    /// Selector of the last non-control instruction.
    public final int codeSelector() {
        return codeSelector;
    }

    /// Offset of the last non-control instruction.
    public final long instructionPointer() {
        return instructionPointer;
    }

    /// Selector of the last memory operand.
    public final int dataSelector() {
        return dataSelector;
    }

    /// Offset of the last memory operand.
    public final long dataPointer() {
        return dataPointer;
    }

    /// Every MMX instruction but EMMS begins with this: TOP = 0, all registers tagged valid.
    public final void enterMmx() {
        top = 0;
        full = 0xFF;
    }

    /// MMX register i.
    public final long mm(int i) {
        return significands[i];
    }

    /// Writes MMX register i; its exponent becomes all ones.
    public final void mm(int i, long value) {
        significands[i] = value;
        signExponents[i] = 0xFFFF;
    }

    /// EMMS.
    public final void emms() {
        top = 0;
        full = 0;
    }

    final boolean isEmpty(int i) {
        return (full & 1 << (top + i & 7)) == 0;
    }

    final void set(int i, long sig, int se) {
        int r = top + i & 7;
        significands[r] = sig;
        signExponents[r] = se;
        full |= 1 << r;
    }

    final void setIndefinite(int i) {
        set(i, INDEFINITE, INDEFINITE_SE);
    }

    final void pop() {
        full &= ~(1 << top);
        top = top + 1 & 7;
    }
}
