package org.jvirt.x86;

/// One row of the opcode table: an encoding, what it is called, its operands and what is known about it. Immutable;
/// one object per row for the life of the JVM, so rows can be compared by identity and used through [#index()].
public final class OpcodeRow {
    /// Any mandatory prefix (or none) goes; 66 then means the other operand size.
    static final int ANY_PREFIX = -1;
    /// No F2 or F3; 66 means the other operand size.
    static final int NO_REPEAT = -2;

    final int index;
    final OpcodeMap map;
    final int opcode;
    /// 0 none, 1 66, 2 F3, 3 F2, or one of the two constants.
    final int prefix;
    /// ModRM.reg as opcode extension, or -1.
    final int digit;
    /// The whole ModRM byte as opcode, or -1.
    final int exactModRm;
    /// The register number is in the low bits of the opcode (or of the exact ModRM byte).
    final boolean lowBits;
    final Mnemonic mnemonic;
    final OperandSpec[] operands;
    final Access[] access;
    final RowAttributes attributes;
    final CpuFeature feature;
    final boolean modRm;
    final boolean memoryForm;
    final boolean registerForm;
    final boolean usesVvvv;
    final boolean vsib;
    final int attributeBits;

    OpcodeRow(
            int index,
            OpcodeMap map,
            int opcode,
            int prefix,
            int digit,
            int exactModRm,
            boolean lowBits,
            Mnemonic mnemonic,
            OperandList list,
            RowAttributes attributes,
            CpuFeature feature) {
        this.index = index;
        this.map = map;
        this.opcode = opcode;
        this.prefix = prefix;
        this.digit = digit;
        this.exactModRm = exactModRm;
        this.lowBits = lowBits;
        this.mnemonic = mnemonic;
        this.operands = list.specs();
        this.access = list.access();
        this.attributes = attributes;
        this.attributeBits = attributes.bits;
        this.feature = feature;
        boolean anyModRm = digit >= 0 || exactModRm >= 0 || attributes.has(RowAttributes.REG_FORM);
        boolean memoryOnly = false;
        boolean registerOnly = exactModRm >= 0 || attributes.has(RowAttributes.REG_FORM);
        boolean vvvv = false;
        boolean vectorIndex = false;
        for (OperandSpec spec : operands) {
            anyModRm |= spec.inModRmReg() || spec.inModRmRm();
            memoryOnly |= spec.memoryOnly();
            registerOnly |= spec.registerOnly();
            vvvv |= spec.inVvvv();
            vectorIndex |= spec.method == OperandSpec.Method.VM;
        }
        this.modRm = anyModRm;
        this.memoryForm = anyModRm && !registerOnly;
        this.registerForm = anyModRm && !memoryOnly;
        this.usesVvvv = vvvv;
        this.vsib = vectorIndex;
    }

    private boolean has(int bit) {
        return (attributeBits & bit) != 0;
    }

    /// What an operand size becomes in rows that fix it.
    int effectiveOperandSize(int operandSize, boolean longMode) {
        if (has(RowAttributes.BYTE)) {
            return 1;
        }
        if (has(RowAttributes.MAX32)) {
            return Math.min(operandSize, 4);
        }
        if (has(RowAttributes.NATURAL)) {
            return longMode ? 8 : 4;
        }
        if (prefix == 1 || map.isVex()) {
            return longMode && (attributes.w == 1 || attributes.w < 0 && operandSize == 8) ? 8 : 4;
        }
        if (longMode && has(RowAttributes.FORCED64)) {
            return 8;
        }
        if (longMode && has(RowAttributes.DEFAULT64)) {
            return operandSize == 2 ? 2 : 8;
        }
        return operandSize;
    }

    /// Whether another operand size makes another instruction of it.
    boolean variesWithOperandSize() {
        if (has(RowAttributes.BYTE | RowAttributes.NATURAL) || map.isVex() && attributes.w >= 0) {
            return false;
        }
        if (attributes.operandSizes != 0) {
            return true;
        }
        for (OperandSpec spec : operands) {
            switch (spec.type) {
                case V, Z, P, A, E, F, VW -> {
                    return true;
                }
                default -> {
                    // a fixed size
                }
            }
        }
        return switch (mnemonic) {
            case MOVS,
                    CMPS,
                    STOS,
                    LODS,
                    SCAS,
                    INS,
                    OUTS,
                    PUSHA,
                    POPA,
                    PUSHF,
                    POPF,
                    IRET,
                    RETF,
                    RET,
                    PUSH,
                    POP,
                    ENTER,
                    LEAVE,
                    SYSRET,
                    SYSEXIT -> true;
            default -> false;
        };
    }

    /// Whether W makes another instruction of it, where 66 does not.
    boolean variesWithWidth() {
        if (has(RowAttributes.NATURAL)) {
            return false;
        }
        if (attributes.w >= 0) {
            return !map.isVex();
        }
        for (OperandSpec spec : operands) {
            switch (spec.type) {
                case Y, XS, FX -> {
                    return true;
                }
                default -> {
                    // a fixed size
                }
            }
        }
        return false;
    }

    /// Whether another address size makes another instruction of it.
    boolean variesWithAddressSize() {
        for (OperandSpec spec : operands) {
            if (spec.mayBeMemory()) {
                return true;
            }
        }
        return variesWithoutMemory();
    }

    /// Whether the address size matters although no memory operand is encoded in ModRM.
    boolean variesWithoutMemory() {
        return directAddress()
                || repeatable()
                || switch (mnemonic) {
                    case LOOP, LOOPE, LOOPNE, JRCXZ, XLAT, MASKMOVQ, MASKMOVDQU, VMASKMOVDQU, MONITOR, CLZERO -> true;
                    default -> false;
                };
    }

    /// Position in [OpcodeTable#rows()].
    public int index() {
        return index;
    }

    public Mnemonic mnemonic() {
        return mnemonic;
    }

    public OpcodeMap map() {
        return map;
    }

    /// The opcode byte; the first of eight when a register is encoded in its low bits.
    public int opcode() {
        return opcode;
    }

    /// The condition code 0 to 15 of Jcc, SETcc and CMOVcc rows: the opcode's low half.
    public int condition() {
        return opcode & 15;
    }

    /// ModRM.reg as opcode extension (`/digit`), or -1.
    public int digit() {
        return digit;
    }

    /// The mandatory prefix byte (0x66, 0xF3 or 0xF2), or 0.
    public int mandatoryPrefix() {
        return switch (prefix) {
            case 1 -> 0x66;
            case 2 -> 0xF3;
            case 3 -> 0xF2;
            default -> 0;
        };
    }

    public int operandCount() {
        return operands.length;
    }

    public OperandSpec operand(int i) {
        return operands[i];
    }

    /// How operand `i` is used.
    public Access access(int i) {
        return access[i];
    }

    public CpuFeature feature() {
        return feature;
    }

    public boolean hasModRm() {
        return modRm;
    }

    /// Whether the ModRM operand may be memory.
    public boolean hasMemoryForm() {
        return memoryForm;
    }

    /// Whether the ModRM operand may be a register.
    public boolean hasRegisterForm() {
        return registerForm;
    }

    /// Whether a LOCK prefix is allowed with a memory destination.
    public boolean lockable() {
        return has(RowAttributes.LOCK);
    }

    /// Whether F3 or F2 repeats it (MOVS, STOS, LODS, INS, OUTS, and with a condition CMPS, SCAS).
    public boolean repeatable() {
        return has(RowAttributes.REP | RowAttributes.REPZ);
    }

    /// Whether the repetition also depends on ZF (CMPS, SCAS).
    public boolean repeatsConditionally() {
        return has(RowAttributes.REPZ);
    }

    /// Valid in this code size.
    public boolean validIn(CodeSize size) {
        return size == CodeSize.CODE64 ? !has(RowAttributes.INVALID64) : !has(RowAttributes.ONLY64);
    }

    /// Operand size is 64 bits by default in 64-bit mode (PUSH, POP, ENTER ...).
    public boolean default64() {
        return has(RowAttributes.DEFAULT64);
    }

    /// Operand size is always 64 bits in 64-bit mode (near branches).
    public boolean forced64() {
        return has(RowAttributes.FORCED64);
    }

    /// #GP unless CPL is 0.
    public boolean privileged() {
        return has(RowAttributes.CPL0);
    }

    /// Depends on IOPL (CLI, STI).
    public boolean ioplSensitive() {
        return has(RowAttributes.IOPL);
    }

    /// Reads or writes a port: depends on IOPL and the TSS's permission map.
    public boolean portAccess() {
        return has(RowAttributes.IO);
    }

    /// Privileged when CR4.UMIP is set.
    public boolean umip() {
        return has(RowAttributes.UMIP);
    }

    /// #UD in real and virtual-8086 mode.
    public boolean protectedModeOnly() {
        return has(RowAttributes.PROTECTED);
    }

    /// Changes RIP other than by going to the next instruction (or traps by design).
    public boolean branch() {
        return has(RowAttributes.BRANCH);
    }

    /// Must be the last instruction of a decoded or translated block: branches and whatever changes how following
    /// instructions are fetched, interrupted or executed.
    public boolean endsBlock() {
        return has(RowAttributes.BRANCH | RowAttributes.END);
    }

    /// A second encoding of something: decoded, never chosen by the assembler.
    public boolean alias() {
        return has(RowAttributes.ALIAS);
    }

    /// A hint: a no-operation as far as architectural state goes; its memory operand is not accessed.
    public boolean hint() {
        return has(RowAttributes.HINT);
    }

    /// Whether the memory operand is really read or written: not by hints, LEA, INVLPG and the undefined
    /// instructions, which only name an address.
    public boolean accessesMemory() {
        return memoryForm
                        && !has(RowAttributes.HINT)
                        && switch (mnemonic) {
                            case LEA, INVLPG, UD0, UD1 -> false;
                            default -> true;
                        }
                || directAddress();
    }

    private boolean directAddress() {
        for (OperandSpec spec : operands) {
            if (spec.method == OperandSpec.Method.O) {
                return true;
            }
        }
        return false;
    }

    /// The register operand is a bit offset that reaches outside the memory operand (BT, BTS, BTR, BTC).
    public boolean bitBase() {
        return has(RowAttributes.BIT_BASE);
    }

    /// RFLAGS bits that it uses.
    public int flagsRead() {
        return attributes.flagsRead;
    }

    /// RFLAGS bits that it sets to a defined value, always or (shifts by a count, repetitions) sometimes.
    public int flagsWritten() {
        return attributes.flagsWritten;
    }

    /// RFLAGS bits that the manual leaves undefined.
    public int flagsUndefined() {
        return attributes.flagsUndefined;
    }

    /// The alignment in bytes that the memory operand must have (#GP otherwise), or 0: 16 for the 16-byte
    /// operands of legacy SSE, the vector's length for VEX moves that ask for it, 64 for XSAVE areas.
    public int alignment(int vectorLength) {
        if (attributes.alignment != 0) {
            return attributes.alignment;
        }
        if (has(RowAttributes.ALIGN_VECTOR)) {
            return vectorLength;
        }
        if (map.isVex() || has(RowAttributes.UNALIGNED)) {
            return 0;
        }
        for (OperandSpec spec : operands) {
            boolean vector = spec.method == OperandSpec.Method.W || spec.method == OperandSpec.Method.M;
            if (vector && (spec.type == OperandSpec.Type.X || spec.type == OperandSpec.Type.DQ)) {
                return feature == CpuFeature.VMX || feature == CpuFeature.INVPCID ? 0 : 16;
            }
        }
        return 0;
    }

    /// The row as the table has it: `0F38 66 17 PTEST Vdq,Wdq`.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(map.name()).append(' ');
        text.append(
                switch (prefix) {
                    case 0 -> "NP ";
                    case 1 -> "66 ";
                    case 2 -> "F3 ";
                    case 3 -> "F2 ";
                    default -> "";
                });
        text.append(Integer.toHexString(0x100 | opcode).substring(1).toUpperCase(java.util.Locale.ROOT));
        if (digit >= 0) {
            text.append('/').append(digit);
        }
        if (exactModRm >= 0) {
            text.append(':').append(Integer.toHexString(exactModRm).toUpperCase(java.util.Locale.ROOT));
        }
        if (attributes.w >= 0) {
            text.append(" W").append(attributes.w);
        }
        if (attributes.l >= 0) {
            text.append(" L").append(attributes.l);
        }
        text.append(' ').append(mnemonic);
        for (int i = 0; i < operands.length; i++) {
            text.append(i == 0 ? ' ' : ',').append(operands[i].text);
        }
        return text.toString();
    }
}
