package org.jvirt.x86;

import java.util.Arrays;

/// One decoded instruction: a mutable flyweight that [Decoder#decode] fills again and again without allocating;
/// [#copy()] gives an independent one. Not thread-safe while it is being filled.
///
/// Operands are in the manual's order, destination first, with explicit fixed registers (`ADD AL, imm8` has AL as
/// operand 0) and without implicit ones (`MUL`'s rDX:rAX, the pointers of string instructions).
public final class Instruction {
    static final int MAX_OPERANDS = 4;
    static final int NO_REGISTER = -1;
    /// [#base()] of a RIP-relative operand.
    public static final int RIP = 16;

    public static final int ES = 0;
    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;

    OpcodeRow row;
    CodeSize codeSize = CodeSize.CODE64;
    int length;
    int operandSize;
    int addressSize;
    boolean lock;
    /// The last F3 (0xF3) or F2 (0xF2) prefix that does not select the row, or 0.
    int repeatPrefix;
    int segment;
    boolean segmentOverridden;
    boolean wide;
    int vectorLength;
    int vectorIndexSize;
    int operandCount;
    final OperandKind[] kind = new OperandKind[MAX_OPERANDS];
    final int[] size = new int[MAX_OPERANDS];
    final int[] register = new int[MAX_OPERANDS];
    int base;
    int index;
    int scale;
    long displacement;
    long immediate;
    int immediate2;

    /// An instruction to be filled; it reads as a one-byte `NOP` before that.
    public Instruction() {
        row = OpcodeTable.nop();
        length = 1;
        operandSize = 4;
        addressSize = 8;
        Arrays.fill(kind, OperandKind.GPR);
        clear();
    }

    /// An independent copy.
    public Instruction copy() {
        Instruction other = new Instruction();
        other.set(this);
        return other;
    }

    /// Makes this equal to another.
    public void set(Instruction other) {
        row = other.row;
        codeSize = other.codeSize;
        length = other.length;
        operandSize = other.operandSize;
        addressSize = other.addressSize;
        lock = other.lock;
        repeatPrefix = other.repeatPrefix;
        segment = other.segment;
        segmentOverridden = other.segmentOverridden;
        wide = other.wide;
        vectorLength = other.vectorLength;
        vectorIndexSize = other.vectorIndexSize;
        operandCount = other.operandCount;
        System.arraycopy(other.kind, 0, kind, 0, MAX_OPERANDS);
        System.arraycopy(other.size, 0, size, 0, MAX_OPERANDS);
        System.arraycopy(other.register, 0, register, 0, MAX_OPERANDS);
        base = other.base;
        index = other.index;
        scale = other.scale;
        displacement = other.displacement;
        immediate = other.immediate;
        immediate2 = other.immediate2;
    }

    void clear() {
        lock = false;
        repeatPrefix = 0;
        segment = DS;
        segmentOverridden = false;
        wide = false;
        vectorLength = 0;
        vectorIndexSize = 0;
        operandCount = 0;
        base = NO_REGISTER;
        index = NO_REGISTER;
        scale = 0;
        displacement = 0;
        immediate = 0;
        immediate2 = 0;
    }

    /// Makes this the register form of a row, all registers 0, with the operand kinds and sizes that follow from
    /// the effective sizes; the sizes are corrected where the row fixes them.
    void shape(OpcodeRow row, CodeSize mode, int operandSize, int addressSize, int vectorLength) {
        clear();
        this.row = row;
        this.codeSize = mode;
        this.length = 0;
        this.addressSize = addressSize;
        boolean longMode = mode == CodeSize.CODE64;
        this.operandSize = row.effectiveOperandSize(operandSize, longMode);
        this.vectorLength = row.map.isVex() ? vectorLength : 0;
        boolean fixed = row.default64() || row.forced64() || row.attributes.has(RowAttributes.NATURAL);
        this.wide = row.attributes.w == 1 || longMode && operandSize == 8 && !fixed;
        operandCount = row.operands.length;
        for (int i = 0; i < operandCount; i++) {
            OperandSpec spec = row.operands[i];
            register[i] = spec.fixedRegister;
            setForm(i, spec.memoryOnly() || spec.method == OperandSpec.Method.O);
        }
        if (row.vsib) {
            vectorIndexSize = Decoder.vectorIndexSize(row, vectorLength);
        }
    }

    /// Makes operand `i` the memory form or the register form of its specification.
    void setForm(int i, boolean memory) {
        OperandSpec spec = row.operands[i];
        boolean longMode = codeSize == CodeSize.CODE64;
        boolean wideOperand = row.attributes.has(RowAttributes.NATURAL) ? longMode : wide && longMode;
        int bytes = spec.size(operandSize, wideOperand, vectorLength, longMode, memory);
        if (spec.fixedKind == OperandKind.IMMEDIATE && spec.type == OperandSpec.Type.Z) {
            bytes = operandSize;
        }
        size[i] = bytes;
        if (memory) {
            kind[i] = OperandKind.MEMORY;
        } else {
            kind[i] = spec.fixedKind == OperandKind.XMM && bytes == 32 ? OperandKind.YMM : spec.fixedKind;
        }
    }

    public Mnemonic mnemonic() {
        return row.mnemonic;
    }

    /// The opcode row, with all that is known about the encoding.
    public OpcodeRow row() {
        return row;
    }

    /// The code size it was decoded for.
    public CodeSize codeSize() {
        return codeSize;
    }

    /// Bytes, prefixes included: 1 to 15.
    public int length() {
        return length;
    }

    /// The effective operand size in bytes: 2, 4 or 8 as mode and prefixes give it, corrected where the row fixes
    /// it (near branches, stack operations, control registers); for string instructions the size of an element, 1
    /// included. It says nothing about operands of a fixed size: for those ask [#size(int)].
    public int operandSize() {
        return operandSize;
    }

    /// The effective address size in bytes: 2, 4 or 8.
    public int addressSize() {
        return addressSize;
    }

    /// Whether there is a LOCK prefix (which the decoder has found to be allowed).
    public boolean lock() {
        return lock;
    }

    /// F3 as REP or REPE on an instruction that repeats.
    public boolean rep() {
        return repeatPrefix == 0xF3 && row.repeatable();
    }

    /// F2 as REPNE on an instruction that repeats; on MOVS, STOS, LODS, INS and OUTS processors treat it as REP.
    public boolean repne() {
        return repeatPrefix == 0xF2 && row.repeatable();
    }

    /// The last F2 or F3 prefix that is not part of the opcode (0xF2, 0xF3), or 0: also where it means nothing.
    public int repeatPrefix() {
        return repeatPrefix;
    }

    /// The effective segment of the memory operand, or of the string source: override or default. 0 ES, 1 CS, 2 SS,
    /// 3 DS, 4 FS, 5 GS.
    public int segment() {
        return segment;
    }

    /// Whether a prefix chose [#segment()]; overrides that 64-bit mode ignores do not count.
    public boolean segmentOverridden() {
        return segmentOverridden;
    }

    public int operandCount() {
        return operandCount;
    }

    public OperandKind kind(int i) {
        return kind[i];
    }

    /// Size of operand `i` in bytes; 0 where the manual gives none (LEA's memory, XSAVE areas). For a relative
    /// branch target, the bytes of the displacement.
    public int size(int i) {
        return size[i];
    }

    /// Register number of operand `i`.
    public int register(int i) {
        return register[i];
    }

    /// Base register 0 to 15, [#RIP], or -1.
    public int base() {
        return base;
    }

    /// Index register 0 to 15, or -1. With a [#vectorIndexSize()] it is a vector register.
    public int index() {
        return index;
    }

    /// Shift of the index: 0 to 3.
    public int scale() {
        return scale;
    }

    /// Sign-extended displacement; the whole address for a direct one (`MOV AL, moffs8`).
    public long displacement() {
        return displacement;
    }

    /// The immediate. Immediates of the operand's size and shorter ones that the manual extends (`Iz`, `Iv`, `sIb`)
    /// are sign-extended to 64 bits: cut them to the operand size. `Ib` and `Iw` proper are zero-extended. For a
    /// relative target the signed displacement from the next instruction; for a far pointer its offset,
    /// zero-extended.
    public long immediate() {
        return immediate;
    }

    /// The second immediate (ENTER's level, EXTRQ's index), or the selector of a far pointer.
    public int immediate2() {
        return immediate2;
    }

    /// 0 for legacy encodings, 16 or 32 for VEX.
    public int vectorLength() {
        return vectorLength;
    }

    /// 16 or 32 where [#index()] is a vector register (gathers), else 0.
    public int vectorIndexSize() {
        return vectorIndexSize;
    }

    public boolean vex() {
        return row.map.isVex();
    }

    /// VEX.W.
    public boolean vexW() {
        return vex() && wide;
    }

    /// REX.W or VEX.W.
    public boolean wide() {
        return wide;
    }

    /// The index of the memory operand among the operands, or -1.
    public int memoryOperand() {
        for (int i = 0; i < operandCount; i++) {
            if (kind[i] == OperandKind.MEMORY) {
                return i;
            }
        }
        return -1;
    }

    /// The alignment that the memory operand must have, or 0.
    public int alignment() {
        return row.alignment(vectorLength);
    }

    /// The target of a relative branch at `address`, cut to the operand size.
    public long target(long address) {
        long target = address + length + immediate;
        return switch (operandSize) {
            case 2 -> target & 0xFFFF;
            case 4 -> target & 0xFFFF_FFFFL;
            default -> target;
        };
    }

    /// Intel syntax, as if at address 0.
    @Override
    public String toString() {
        return Disassembler.text(this, 0);
    }
}
