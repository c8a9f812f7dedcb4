package org.jvirt.x86;

/// Writes the bytes of an instruction: the inverse of [Decoder]. Not thread-safe; a call allocates nothing, so a
/// code generator can keep one encoder and the rows it uses.
///
/// Either a whole [Instruction] is written ([#encode]), or one is put together operand by operand:
///
/// ```java
/// int end = encoder.start(addEvGv, CodeSize.CODE64, 8).memory(0, RBX, -1, 0, 16).register(1, RCX).emit(code, at);
/// ```
///
/// The bytes are canonical: prefixes in the order lock, repeat, segment, 67, 66, mandatory prefix, REX; the
/// shortest displacement; no SIB byte without need.
public final class Encoder {
    private final Instruction pending = new Instruction();
    private byte[] out = new byte[0];
    private int at;
    private int displacementAt;
    private int displacementBytes;
    private int immediateAt;
    private boolean wideDisplacement;

    /// Begins an instruction of a row in its register form; the address size is the mode's own.
    public Encoder start(OpcodeRow row, CodeSize mode, int operandSize) {
        return start(row, mode, operandSize, row.attributes.l == 1 ? 32 : 16);
    }

    /// Begins an instruction of a VEX row with a vector length (16 or 32).
    public Encoder start(OpcodeRow row, CodeSize mode, int operandSize, int vectorLength) {
        pending.shape(row, mode, operandSize, mode.addressSize(), vectorLength);
        return this;
    }

    /// Begins with a copy of a decoded instruction as 64-bit code, without its segment override and with 64-bit
    /// addresses: what follows replaces its operands. An instruction of 32-bit code must have the same meaning
    /// there.
    public Encoder start(Instruction decoded) {
        pending.set(decoded);
        pending.codeSize = CodeSize.CODE64;
        pending.segmentOverridden = false;
        pending.segment = Instruction.DS;
        pending.addressSize = CodeSize.CODE64.addressSize();
        return this;
    }

    /// Makes operand `i` a general register in place of AH, CH, DH or BH.
    public Encoder generalRegister(int i, int number) {
        pending.kind[i] = OperandKind.GPR;
        pending.register[i] = number;
        return this;
    }

    /// Gives the memory operand another address; its size stays.
    public Encoder address(int base, int index, int scale, long displacement) {
        pending.base = base;
        pending.index = index;
        pending.scale = scale;
        pending.displacement = displacement;
        return this;
    }

    /// Makes operand `i` register `number`; for byte registers 4 to 7 are SPL, BPL, SIL, DIL.
    public Encoder register(int i, int number) {
        pending.register[i] = number;
        return this;
    }

    /// Makes operand `i` AH, CH, DH or BH (0 to 3).
    public Encoder highByte(int i, int number) {
        pending.kind[i] = OperandKind.GPR8_HIGH;
        pending.register[i] = number;
        return this;
    }

    /// Makes operand `i` memory; `base` -1 is none and 16 is RIP, `index` -1 none, `scale` a shift.
    public Encoder memory(int i, int base, int index, int scale, long displacement) {
        pending.setForm(i, true);
        pending.base = base;
        pending.index = index;
        pending.scale = scale;
        pending.displacement = displacement;
        return this;
    }

    /// Sets a segment override.
    public Encoder segment(int segment) {
        pending.segment = segment;
        pending.segmentOverridden = true;
        return this;
    }

    /// Sets the immediate, branch displacement or far offset.
    public Encoder immediate(long value) {
        pending.immediate = value;
        return this;
    }

    /// Sets the second immediate or the far selector.
    public Encoder immediate2(int value) {
        pending.immediate2 = value;
        return this;
    }

    /// Sets the LOCK prefix.
    public Encoder lock() {
        pending.lock = true;
        return this;
    }

    /// Sets a 0xF3 or 0xF2 prefix.
    public Encoder repeat(int prefix) {
        pending.repeatPrefix = prefix;
        return this;
    }

    /// Writes what was put together at `offset`.
    ///
    /// @return the offset after it
    /// @throws IllegalArgumentException when the operands have no encoding in this row
    public int emit(byte[] code, int offset) {
        int length = encode(pending, code, offset);
        if (length == 0) {
            throw new IllegalArgumentException("No encoding of these operands in row " + pending.row);
        }
        return offset + length;
    }

    /// The instruction being put together, for the assembler.
    Instruction pending() {
        return pending;
    }

    /// Offset in the output of the last instruction's displacement (4 bytes wide when it was forced), or -1.
    int displacementAt() {
        return displacementAt;
    }

    int displacementBytes() {
        return displacementBytes;
    }

    /// Offset in the output of the last instruction's first immediate, or -1.
    int immediateAt() {
        return immediateAt;
    }

    /// Encodes with a displacement of full width whatever its value, for one that is filled in later.
    int encodeWide(Instruction in, byte[] code, int offset) {
        wideDisplacement = true;
        int length = encode(in, code, offset);
        wideDisplacement = false;
        return length;
    }

    /// Writes an instruction at `offset`; there must be room for [Decoder#MAX_LENGTH] bytes.
    ///
    /// @return its length, or 0 when its operands have no encoding in its row and code size
    public int encode(Instruction in, byte[] code, int offset) {
        out = code;
        at = offset;
        displacementAt = -1;
        displacementBytes = 0;
        immediateAt = -1;
        OpcodeRow row = in.row;
        boolean longMode = in.codeSize == CodeSize.CODE64;
        if (!row.validIn(in.codeSize) || !addressSizeFits(in, longMode)) {
            return 0;
        }
        int reg = row.digit >= 0 ? row.digit : 0;
        int rm = 0;
        int low = 0;
        int vvvv = 0;
        boolean memory = false;
        boolean high = false;
        boolean needsRex = false;
        for (int i = 0; i < in.operandCount; i++) {
            OperandSpec spec = row.operands[i];
            int register = in.register[i];
            if (in.kind[i] == OperandKind.GPR8_HIGH) {
                high = true;
                register += 4;
            } else if (in.kind[i] == OperandKind.GPR
                    && in.size[i] == 1
                    && register >= 4
                    && spec.method != OperandSpec.Method.FIXED) {
                needsRex = true;
            }
            switch (spec.method) {
                case G, V, P, S, C, D -> reg = register;
                case E, M, R, W, U, Q, N, VM -> {
                    if (in.kind[i] == OperandKind.MEMORY) {
                        memory = true;
                    } else {
                        rm = register;
                    }
                }
                case Z, STI -> low = register;
                case H, B -> vvvv = register;
                default -> {
                    // not in ModRM, VEX or the opcode
                }
            }
        }
        int rex = reg >> 1 & 4;
        if (memory) {
            rex |= in.index > 7 ? 2 : 0;
            rex |= in.base > 7 && in.base < Instruction.RIP ? 1 : 0;
        } else {
            rex |= (rm | low) >> 3 & 1;
        }
        boolean wide = wide(in, longMode);
        if (wide) {
            rex |= 8;
        }
        if (!longMode && ((rex & 7) != 0 || needsRex || vvvv > 7 || wide && !row.map.isVex())) {
            return 0;
        }
        if (high && (rex != 0 || needsRex)) {
            return 0;
        }
        prefixes(in, longMode);
        if (row.map.isVex()) {
            vex(in, rex, vvvv);
        } else {
            switch (row.prefix) {
                case 1 -> put(0x66);
                case 2 -> put(0xF3);
                case 3 -> put(0xF2);
                default -> {
                    // none
                }
            }
            if (rex != 0 || needsRex) {
                put(0x40 | rex);
            }
            switch (row.map) {
                case MAP_0F -> put(0x0F);
                case MAP_0F38 -> {
                    put(0x0F);
                    put(0x38);
                }
                case MAP_0F3A -> {
                    put(0x0F);
                    put(0x3A);
                }
                default -> {
                    // the one-byte map
                }
            }
        }
        if (row.exactModRm >= 0) {
            put(row.opcode);
            put(row.exactModRm | low);
        } else {
            put(row.opcode | low & 7);
            if (row.modRm && !modRm(in, reg & 7, rm & 7, memory, longMode)) {
                return 0;
            }
        }
        immediates(in);
        return at - offset > Decoder.MAX_LENGTH ? 0 : at - offset;
    }

    private void put(int value) {
        out[at++] = (byte) value;
    }

    private void put(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out[at++] = (byte) (value >> 8 * i);
        }
    }

    private static boolean addressSizeFits(Instruction in, boolean longMode) {
        return longMode ? in.addressSize != 2 : in.addressSize != 8;
    }

    private static boolean wide(Instruction in, boolean longMode) {
        OpcodeRow row = in.row;
        if (row.attributes.w == 1) {
            return true;
        }
        if (!longMode || in.operandSize != 8) {
            return false;
        }
        int fixed = RowAttributes.DEFAULT64 | RowAttributes.FORCED64 | RowAttributes.NATURAL;
        return (row.attributeBits & fixed) == 0;
    }

    private void prefixes(Instruction in, boolean longMode) {
        OpcodeRow row = in.row;
        if (in.lock) {
            put(0xF0);
        }
        if (in.repeatPrefix != 0) {
            put(in.repeatPrefix);
        }
        if (in.segmentOverridden) {
            put(in.segment < Instruction.FS ? 0x26 + 8 * in.segment : 0x60 + in.segment);
        }
        if (in.addressSize != in.codeSize.addressSize()) {
            put(0x67);
        }
        int fixed = RowAttributes.BYTE | RowAttributes.NATURAL;
        if (row.map.isVex() || row.prefix == 1 || (row.attributeBits & fixed) != 0) {
            return;
        }
        boolean operandPrefix;
        if (longMode) {
            operandPrefix = in.operandSize == 2 && (row.attributeBits & RowAttributes.FORCED64) == 0;
        } else {
            operandPrefix = in.operandSize != in.codeSize.operandSize();
        }
        if (operandPrefix) {
            put(0x66);
        }
    }

    private void vex(Instruction in, int rex, int vvvv) {
        OpcodeRow row = in.row;
        int last = (~vvvv & 15) << 3 | Math.max(row.prefix, 0);
        int l = row.attributes.l >= 0 ? row.attributes.l : in.vectorLength == 32 ? 1 : 0;
        if (!row.attributes.has(RowAttributes.LIG)) {
            last |= l << 2;
        }
        if (row.map == OpcodeMap.VEX_0F && (rex & 0xB) == 0) {
            put(0xC5);
            put((~rex & 4) << 5 | last);
            return;
        }
        put(0xC4);
        put((~rex & 7) << 5 | row.map.ordinal() - OpcodeMap.VEX_0F.ordinal() + 1);
        put((rex & 8) << 4 | last);
    }

    private boolean modRm(Instruction in, int reg, int rm, boolean memory, boolean longMode) {
        if (!memory) {
            put(0xC0 | reg << 3 | rm);
            return true;
        }
        return in.addressSize == 2 ? memory16(in, reg) : memory32(in, reg, longMode);
    }

    private boolean memory16(Instruction in, int reg) {
        int rm = switch (in.base) {
            case 3 ->
                switch (in.index) {
                    case 6 -> 0;
                    case 7 -> 1;
                    case Instruction.NO_REGISTER -> 7;
                    default -> -1;
                };
            case 5 ->
                switch (in.index) {
                    case 6 -> 2;
                    case 7 -> 3;
                    case Instruction.NO_REGISTER -> 6;
                    default -> -1;
                };
            case 6 -> in.index < 0 ? 4 : -1;
            case 7 -> in.index < 0 ? 5 : -1;
            case Instruction.NO_REGISTER -> in.index < 0 ? 6 : -1;
            default -> -1;
        };
        if (rm < 0) {
            return false;
        }
        int disp = (short) in.displacement;
        if (in.base < 0) {
            put(reg << 3 | rm);
            displacement(disp, 2);
        } else if (wideDisplacement || disp != (byte) disp) {
            put(0x80 | reg << 3 | rm);
            displacement(disp, 2);
        } else if (disp != 0 || rm == 6) {
            put(0x40 | reg << 3 | rm);
            displacement(disp, 1);
        } else {
            put(reg << 3 | rm);
        }
        return true;
    }

    private void displacement(long value, int bytes) {
        displacementAt = at;
        displacementBytes = bytes;
        put(value, bytes);
    }

    private boolean memory32(Instruction in, int reg, boolean longMode) {
        int disp = (int) in.displacement;
        if (in.addressSize == 8 && disp != in.displacement) {
            return false;
        }
        int base = in.base;
        int index = in.index;
        boolean vsib = in.row.vsib;
        if (base == Instruction.RIP) {
            if (!longMode || index >= 0) {
                return false;
            }
            put(reg << 3 | 5);
            displacement(disp, 4);
            return true;
        }
        if (vsib ? index < 0 : index == 4) {
            return false;
        }
        if (base < 0) {
            if (index < 0 && !longMode) {
                put(reg << 3 | 5);
            } else {
                put(reg << 3 | 4);
                put(in.scale << 6 | (index < 0 ? 4 : index & 7) << 3 | 5);
            }
            displacement(disp, 4);
            return true;
        }
        int mod = 0;
        if (wideDisplacement || disp != (byte) disp) {
            mod = 0x80;
        } else if (disp != 0 || (base & 7) == 5) {
            mod = 0x40;
        }
        if (index >= 0 || (base & 7) == 4 || vsib) {
            put(mod | reg << 3 | 4);
            put((index < 0 ? 0 : in.scale << 6) | (index < 0 ? 4 : index & 7) << 3 | base & 7);
        } else {
            put(mod | reg << 3 | base & 7);
        }
        if (mod != 0) {
            displacement(disp, mod == 0x80 ? 4 : 1);
        }
        return true;
    }

    private void immediates(Instruction in) {
        OperandSpec[] specs = in.row.operands;
        int count = 0;
        for (int i = 0; i < specs.length; i++) {
            OperandSpec spec = specs[i];
            switch (spec.method) {
                case I, SIGNED_I, J -> {
                    int bytes = spec.encodedSize(in.operandSize, in.addressSize);
                    if (count++ == 0) {
                        immediateAt = at;
                        put(in.immediate, bytes);
                    } else {
                        put(in.immediate2, bytes);
                    }
                }
                case A -> {
                    immediateAt = at;
                    put(in.immediate, in.operandSize);
                    put(in.immediate2, 2);
                }
                case O -> {
                    displacement(in.displacement, in.addressSize);
                }
                case L -> put(in.register[i] << 4);
                default -> {
                    // encoded before
                }
            }
        }
    }
}
