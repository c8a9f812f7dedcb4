package org.jvirt.x86;

/// Decodes x86 instructions. Not thread-safe: one decoder per thread. A call allocates nothing.
///
/// Where processors differ it decodes as Intel's do: a 66 prefix on a near branch in 64-bit mode is ignored, far
/// pointers in memory may have 64-bit offsets there. F2 and F3 take precedence over 66 as mandatory prefix, the
/// last of them wins; 66 has no effect on the operand size next to REX.W or where it is itself the mandatory
/// prefix. A REX prefix counts only directly before the opcode. ES, CS, SS and DS overrides are ignored in 64-bit
/// mode. Register numbers that do not exist (CR1, DR8, segment registers 6 and 7, a load of CS) are undefined.
///
/// AMD's processors differ in these encodings: they honour 66 on near branches, take UD0 without ModRM, refuse the
/// register form of 0F 0D, and accept LOCK before a move to or from CR0 as CR8.
public final class Decoder {
    /// No instruction is longer.
    public static final int MAX_LENGTH = 15;

    private static final byte[] NOTHING = new byte[0];

    private static final ByteSource EMPTY = new EmptySource();

    /// What has been fetched from a source.
    private final byte[] fetched = new byte[MAX_LENGTH];
    private byte[] bytes = NOTHING;
    private ByteSource source = EMPTY;
    private int start;
    private int position;
    private int end;
    private boolean ranOut;
    private boolean tooLong;

    /// Stands behind an array, which has no more bytes than it has; a class of its own because a lambda would cost
    /// milliseconds at start.
    private static final class EmptySource implements ByteSource {
        @Override
        public int byteAt(int index) {
            return -1;
        }
    }

    /// Decodes the instruction at `offset`, reading nothing at or after `end`.
    public DecodeResult decode(byte[] code, int offset, int end, CodeSize mode, Instruction into) {
        this.bytes = code;
        this.start = offset;
        this.end = Math.min(end, code.length);
        source = EMPTY;
        return decode(mode, into);
    }

    /// Decodes the instruction at the start of an array.
    public DecodeResult decode(byte[] code, CodeSize mode, Instruction into) {
        return decode(code, 0, code.length, mode, into);
    }

    /// Decodes the instruction that the source's index 0 begins. What the source throws passes through.
    public DecodeResult decode(ByteSource code, CodeSize mode, Instruction into) {
        bytes = fetched;
        start = 0;
        end = 0;
        source = code;
        return decode(mode, into);
    }

    private int next() {
        if (ranOut | tooLong) {
            return 0;
        }
        if (position - start >= MAX_LENGTH) {
            tooLong = true;
            return 0;
        }
        if (position >= end) {
            int value = source.byteAt(position - start);
            if (value < 0) {
                ranOut = true;
                return 0;
            }
            bytes[end++] = (byte) value;
        }
        return bytes[position++] & 0xFF;
    }

    private long signed(int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (long) next() << 8 * i;
        }
        int unused = 64 - 8 * count;
        return value << unused >> unused;
    }

    private long unsigned(int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (long) next() << 8 * i;
        }
        return value;
    }

    private DecodeResult incomplete() {
        return tooLong ? DecodeResult.TOO_LONG : DecodeResult.NEEDS_MORE;
    }

    private DecodeResult decode(CodeSize mode, Instruction into) {
        position = start;
        ranOut = false;
        tooLong = false;
        into.clear();
        into.codeSize = mode;
        boolean longMode = mode == CodeSize.CODE64;
        boolean operandPrefix = false;
        boolean addressPrefix = false;
        int repeat = 0;
        int rex = 0;
        int override = -1;
        int opcode;
        prefixes:
        while (true) {
            opcode = next();
            if (ranOut | tooLong) {
                return incomplete();
            }
            switch (opcode) {
                case 0x26, 0x2E, 0x36, 0x3E -> {
                    if (!longMode) {
                        override = opcode >> 3 & 3;
                    }
                }
                case 0x64 -> override = Instruction.FS;
                case 0x65 -> override = Instruction.GS;
                case 0x66 -> operandPrefix = true;
                case 0x67 -> addressPrefix = true;
                case 0xF0 -> into.lock = true;
                case 0xF2, 0xF3 -> repeat = opcode;
                default -> {
                    if (!longMode || (opcode & 0xF0) != 0x40) {
                        break prefixes;
                    }
                    rex = opcode;
                    continue;
                }
            }
            rex = 0;
        }

        int map = 0;
        int vexL = 0;
        int vvvv = 0;
        int prefix = repeat == 0xF3 ? 2 : repeat == 0xF2 ? 3 : operandPrefix ? 1 : 0;
        if (opcode == 0x0F) {
            opcode = next();
            map = 1;
            if (opcode == 0x38 || opcode == 0x3A) {
                map = opcode == 0x38 ? 2 : 3;
                opcode = next();
            }
        } else if ((opcode & 0xFE) == 0xC4 && isVex(longMode)) {
            if (into.lock || operandPrefix || repeat != 0 || rex != 0) {
                return DecodeResult.UNDEFINED;
            }
            int first = next();
            int last = first;
            rex = 0x40 | (~first >> 5 & 4);
            map = OpcodeMap.VEX_0F.ordinal();
            if (opcode == 0xC4) {
                rex |= ~first >> 5 & 3;
                last = next();
                rex |= last >> 4 & 8;
                int select = first & 0x1F;
                if (select == 0 || select > 3) {
                    return ranOut || tooLong ? incomplete() : DecodeResult.UNDEFINED;
                }
                map += select - 1;
            }
            vvvv = ~last >> 3 & 15;
            vexL = last >> 2 & 1;
            prefix = last & 3;
            if (!longMode) {
                rex &= 0x48;
                vvvv &= 7;
            }
            opcode = next();
        }
        if (ranOut | tooLong) {
            return incomplete();
        }

        OpcodeNode node = OpcodeTable.nodes(mode)[map << 8 | opcode];
        if (node == null) {
            return DecodeResult.UNDEFINED;
        }
        int modRm = 0xC0;
        if (node.modRm) {
            modRm = next();
            if (ranOut | tooLong) {
                return incomplete();
            }
        }
        int wide = rex >> 3 & 1;
        int operandSize = mode.operandSize();
        if (wide != 0 && longMode) {
            operandSize = 8;
        } else if (operandPrefix) {
            operandSize = operandSize == 2 ? 4 : 2;
        }
        OpcodeRow row = node.row(prefix, operandSize, wide, vexL, rex & 1, modRm);
        if (row == null) {
            return DecodeResult.UNDEFINED;
        }
        int bits = row.attributeBits;
        boolean memory = node.modRm && modRm < 0xC0 && (bits & RowAttributes.MOD_ANY) == 0;
        if (map >= OpcodeMap.VEX_0F.ordinal()) {
            if (vvvv != 0 && !row.usesVvvv) {
                return DecodeResult.UNDEFINED;
            }
            into.vectorLength = vexL != 0 && (bits & RowAttributes.LIG) == 0 ? 32 : 16;
        }
        if (row.prefix >= 0) {
            if (row.prefix == 1 || map >= OpcodeMap.VEX_0F.ordinal()) {
                operandSize = wide != 0 && longMode ? 8 : 4;
            }
        }
        operandSize = adjust(operandSize, bits, longMode, operandPrefix, wide);
        int addressSize = mode.addressSize();
        if (addressPrefix) {
            addressSize = addressSize == 4 ? 2 : 4;
        }
        into.row = row;
        into.wide = wide != 0;
        into.operandSize = operandSize;
        into.addressSize = addressSize;
        into.repeatPrefix = row.prefix >= 2 ? 0 : repeat;
        if (memory) {
            if (addressSize == 2) {
                memory16(modRm, into);
            } else {
                memory32(modRm, rex, longMode, row, into);
            }
            if (row.vsib && (into.index < 0 || addressSize == 2)) {
                return ranOut || tooLong ? incomplete() : DecodeResult.UNDEFINED;
            }
        }
        if (override >= 0) {
            into.segment = override;
            into.segmentOverridden = true;
        }
        boolean valid = operands(row, into, rex, modRm, opcode, vvvv, memory, longMode);
        if (ranOut | tooLong) {
            return incomplete();
        }
        into.length = position - start;
        if (into.lock && ((bits & RowAttributes.LOCK) == 0 || !memory)) {
            // processors have fetched the whole instruction before they refuse the prefix
            return DecodeResult.UNDEFINED;
        }
        return valid ? DecodeResult.OK : DecodeResult.UNDEFINED;
    }

    /// C4 and C5 are LES and LDS in 16- and 32-bit code unless what would be ModRM names a register. Looking at the
    /// byte is no extra fetch: either meaning has it.
    private boolean isVex(boolean longMode) {
        if (longMode) {
            return true;
        }
        int peeked = next();
        if (ranOut | tooLong) {
            return false;
        }
        position--;
        return peeked >= 0xC0;
    }

    private static int adjust(int operandSize, int bits, boolean longMode, boolean operandPrefix, int wide) {
        int special = RowAttributes.DEFAULT64
                | RowAttributes.FORCED64
                | RowAttributes.NATURAL
                | RowAttributes.BYTE
                | RowAttributes.MAX32;
        if ((bits & special) == 0) {
            return operandSize;
        }
        if ((bits & RowAttributes.BYTE) != 0) {
            return 1;
        }
        if ((bits & RowAttributes.MAX32) != 0) {
            return Math.min(operandSize, 4);
        }
        if ((bits & RowAttributes.NATURAL) != 0) {
            return longMode ? 8 : 4;
        }
        if (!longMode) {
            return operandSize;
        }
        if ((bits & RowAttributes.FORCED64) != 0) {
            return 8;
        }
        return operandPrefix && wide == 0 ? 2 : 8;
    }

    private void memory16(int modRm, Instruction into) {
        int mod = modRm >> 6;
        switch (modRm & 7) {
            case 0 -> address16(into, 3, 6);
            case 1 -> address16(into, 3, 7);
            case 2 -> address16(into, 5, 6);
            case 3 -> address16(into, 5, 7);
            case 4 -> address16(into, 6, Instruction.NO_REGISTER);
            case 5 -> address16(into, 7, Instruction.NO_REGISTER);
            case 6 -> {
                if (mod == 0) {
                    into.displacement = signed(2);
                } else {
                    address16(into, 5, Instruction.NO_REGISTER);
                }
            }
            default -> address16(into, 3, Instruction.NO_REGISTER);
        }
        if (mod == 1) {
            into.displacement = signed(1);
        } else if (mod == 2) {
            into.displacement = signed(2);
        }
    }

    private static void address16(Instruction into, int base, int index) {
        into.base = base;
        into.index = index;
        if (base == 5) {
            into.segment = Instruction.SS;
        }
    }

    private void memory32(int modRm, int rex, boolean longMode, OpcodeRow row, Instruction into) {
        int mod = modRm >> 6;
        int rm = modRm & 7;
        int base;
        if (rm == 4) {
            int sib = next();
            int index = sib >> 3 & 7 | rex << 2 & 8;
            if (index != 4 || row.vsib) {
                into.index = index;
                into.scale = sib >> 6;
            }
            base = sib & 7;
            if (row.vsib) {
                into.vectorIndexSize = vectorIndexSize(row, into.vectorLength);
            }
        } else {
            base = rm;
        }
        if (base == 5 && mod == 0) {
            into.displacement = signed(4);
            if (rm == 5 && longMode) {
                into.base = Instruction.RIP;
            }
            return;
        }
        if (base == 4 || base == 5) {
            if ((rex & 1) == 0) {
                into.segment = Instruction.SS;
            }
        }
        into.base = base | rex << 3 & 8;
        if (mod == 1) {
            into.displacement = signed(1);
        } else if (mod == 2) {
            into.displacement = signed(4);
        }
    }

    static int vectorIndexSize(OpcodeRow row, int vectorLength) {
        for (OperandSpec spec : row.operands) {
            if (spec.method == OperandSpec.Method.VM) {
                return spec.type == OperandSpec.Type.VM_XD ? 16 : vectorLength;
            }
        }
        return 0;
    }

    private boolean operands(
            OpcodeRow row,
            Instruction into,
            int rex,
            int modRm,
            int opcode,
            int vvvv,
            boolean memory,
            boolean longMode) {
        OperandSpec[] specs = row.operands;
        int count = specs.length;
        into.operandCount = count;
        int operandSize = into.operandSize;
        int immediates = 0;
        boolean valid = true;
        for (int i = 0; i < count; i++) {
            OperandSpec spec = specs[i];
            boolean here = memory && spec.inModRmRm();
            // y operands follow W, except where the mode alone decides
            boolean wide = (row.attributeBits & RowAttributes.NATURAL) != 0 ? longMode : into.wide && longMode;
            int size = spec.size(operandSize, wide, into.vectorLength, longMode, here);
            OperandKind kind = spec.fixedKind;
            int register = 0;
            switch (spec.method) {
                case E, R -> {
                    if (here) {
                        kind = OperandKind.MEMORY;
                    } else {
                        register = modRm & 7 | rex << 3 & 8;
                    }
                }
                case G -> register = modRm >> 3 & 7 | rex << 1 & 8;
                case V -> {
                    register = modRm >> 3 & 7 | rex << 1 & 8;
                    kind = vector(size);
                }
                case W, U -> {
                    if (here) {
                        kind = OperandKind.MEMORY;
                    } else {
                        register = modRm & 7 | rex << 3 & 8;
                        kind = vector(size);
                    }
                }
                case Q, N -> {
                    if (here) {
                        kind = OperandKind.MEMORY;
                    } else {
                        register = modRm & 7;
                    }
                }
                case P -> register = modRm >> 3 & 7;
                case B -> register = vvvv;
                case H -> {
                    register = vvvv;
                    kind = vector(size);
                }
                case L -> {
                    register = next() >> 4;
                    if (!longMode) {
                        register &= 7;
                    }
                    kind = vector(size);
                }
                case Z -> register = opcode & 7 | rex << 3 & 8;
                case STI -> register = modRm & 7;
                case FIXED -> register = spec.fixedRegister;
                case S -> {
                    register = modRm >> 3 & 7;
                    valid &= register <= Instruction.GS && !(i == 0 && register == Instruction.CS);
                }
                case C -> {
                    register = modRm >> 3 & 7 | rex << 1 & 8;
                    valid &= register == 0 || register >= 2 && register <= 4 || register == 8;
                }
                case D -> {
                    register = modRm >> 3 & 7 | rex << 1 & 8;
                    valid &= register < 8;
                }
                case M, VM -> {
                    // the address has been decoded
                }
                case O -> into.displacement = unsigned(into.addressSize);
                case ONE -> into.immediate = 1;
                case SIGNED_I -> into.immediate = signed(1);
                case I -> {
                    long value = spec.type == OperandSpec.Type.B || spec.type == OperandSpec.Type.W
                            ? unsigned(size)
                            : signed(Math.min(size, spec.encodedSize(operandSize, 0)));
                    if (spec.type == OperandSpec.Type.Z) {
                        size = operandSize;
                    }
                    if (immediates++ == 0) {
                        into.immediate = value;
                    } else {
                        into.immediate2 = (int) value;
                    }
                }
                case J -> into.immediate = signed(size);
                case A -> {
                    into.immediate = unsigned(operandSize);
                    into.immediate2 = (int) unsigned(2);
                }
            }
            if (size == 1
                    && kind == OperandKind.GPR
                    && rex == 0
                    && register >= 4
                    && spec.method != OperandSpec.Method.FIXED) {
                kind = OperandKind.GPR8_HIGH;
                register -= 4;
            }
            into.kind[i] = kind;
            into.size[i] = size;
            into.register[i] = register;
        }
        if (row.vsib) {
            // the three vector registers of a gather must differ
            valid &= into.register[0] != into.index
                    && into.register[2] != into.index
                    && into.register[0] != into.register[2];
        }
        return valid;
    }

    private static OperandKind vector(int size) {
        return size == 32 ? OperandKind.YMM : OperandKind.XMM;
    }
}
