package org.jvirt.x86;

import java.util.Locale;

/// Writes an instruction in Intel syntax, as GNU objdump's `-M intel` does but for white space: one blank after
/// prefixes and mnemonic, none between operands. Comparison predicates stay immediates (`cmpps xmm0,xmm1,0x1`).
public final class Disassembler {
    private static final String[] LOW8 = {
        "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil",
        "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"
    };
    private static final String[] HIGH8 = {"ah", "ch", "dh", "bh"};
    private static final String[] LEGACY = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};

    private Disassembler() {}

    /// The text of an instruction at `address`; branch targets are absolute.
    public static String text(Instruction in, long address) {
        StringBuilder text = new StringBuilder(40);
        append(text, in, address);
        return text.toString();
    }

    /// Appends the text of an instruction.
    public static void append(StringBuilder text, Instruction in, long address) {
        if (in.lock()) {
            text.append("lock ");
        }
        if (in.repeatPrefix() != 0) {
            repeat(text, in);
        }
        if (loop(in) && in.addressSize() != in.codeSize().addressSize()) {
            text.append(in.addressSize() == 4 ? "addr32 " : "addr16 ");
        }
        text.append(name(in));
        if (stringOperands(text, in)) {
            return;
        }
        boolean written = false;
        for (int i = 0; i < in.operandCount(); i++) {
            text.append(written ? ',' : ' ');
            written = true;
            operand(text, in, i, address);
        }
    }

    /// A loop whose counter register does not show in its name.
    private static boolean loop(Instruction in) {
        return switch (in.mnemonic()) {
            case LOOP, LOOPE, LOOPNE -> true;
            default -> false;
        };
    }

    private static void repeat(StringBuilder text, Instruction in) {
        boolean conditional = in.row().repeatsConditionally();
        if (in.repeatPrefix() == 0xF3) {
            text.append(in.row().repeatable() && !conditional ? "rep " : "repz ");
        } else {
            text.append("repnz ");
        }
    }

    private static String name(Instruction in) {
        int size = in.operandSize();
        boolean longMode = in.codeSize().isLong();
        return switch (in.mnemonic()) {
            case CALLF -> "call";
            case JMPF -> "jmp";
            case RETF -> size == 8 ? "retfq" : "retf";
            case IRET -> size == 8 ? "iretq" : width("iret", "iretw", "iretd", in);
            case PUSHF -> width("pushf", "pushfw", "pushfd", in);
            case POPF -> width("popf", "popfw", "popfd", in);
            case PUSHA -> width("pusha", "pushaw", "pushad", in);
            case POPA -> width("popa", "popaw", "popad", in);
            case JRCXZ ->
                switch (in.addressSize()) {
                    case 2 -> "jcxz";
                    case 4 -> "jecxz";
                    default -> "jrcxz";
                };
            case SYSRET -> longMode ? size == 8 ? "sysretq" : "sysretd" : "sysret";
            case SYSEXIT -> longMode ? size == 8 ? "sysexitq" : "sysexitd" : "sysexit";
            case FXSAVE, FXRSTOR, XSAVE, XRSTOR, XSAVEOPT, XSAVEC, XSAVES, XRSTORS ->
                lower(in) + (longMode && size == 8 ? "64" : "");
            case MOV -> movAbs(in) ? "movabs" : "mov";
            default -> lower(in);
        };
    }

    private static boolean movAbs(Instruction in) {
        for (int i = 0; i < in.operandCount(); i++) {
            OperandSpec spec = in.row().operand(i);
            if (spec.method == OperandSpec.Method.O && in.addressSize() == 8
                    || spec.method == OperandSpec.Method.I
                            && spec.type == OperandSpec.Type.V
                            && in.operandSize() == 8) {
                return true;
            }
        }
        return false;
    }

    private static String width(String own, String word, String dword, Instruction in) {
        int natural = in.codeSize() == CodeSize.CODE16 ? 2 : 4;
        int size = in.operandSize();
        if (size == 8 || size == natural) {
            return own;
        }
        return size == 2 ? word : dword;
    }

    private static String lower(Instruction in) {
        return in.mnemonic().name().toLowerCase(Locale.ROOT);
    }

    private static boolean stringOperands(StringBuilder text, Instruction in) {
        switch (in.mnemonic()) {
            case MOVS -> {
                destination(text.append(' '), in);
                source(text.append(','), in, 6);
            }
            case CMPS -> {
                source(text.append(' '), in, 6);
                destination(text.append(','), in);
            }
            case STOS -> {
                destination(text.append(' '), in);
                text.append(',').append(generalName(0, in.operandSize()));
            }
            case SCAS -> {
                text.append(' ').append(generalName(0, in.operandSize())).append(',');
                destination(text, in);
            }
            case LODS -> {
                text.append(' ').append(generalName(0, in.operandSize())).append(',');
                source(text, in, 6);
            }
            case INS -> {
                destination(text.append(' '), in);
                text.append(",dx");
            }
            case OUTS -> source(text.append(" dx,"), in, 6);
            case XLAT -> {
                text.append(" BYTE PTR ").append(SEGMENTS[in.segment()]).append(":[");
                text.append(generalName(3, in.addressSize())).append(']');
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void destination(StringBuilder text, Instruction in) {
        text.append(sizeName(in.operandSize())).append("es:[").append(generalName(7, in.addressSize()));
        text.append(']');
    }

    private static void source(StringBuilder text, Instruction in, int register) {
        text.append(sizeName(in.operandSize())).append(SEGMENTS[in.segment()]).append(":[");
        text.append(generalName(register, in.addressSize())).append(']');
    }

    /// The name of a general register of 1, 2, 4 or 8 bytes.
    public static String generalName(int register, int size) {
        return switch (size) {
            case 1 -> LOW8[register];
            case 2 -> register < 8 ? LEGACY[register] : "r" + register + "w";
            case 4 -> register < 8 ? "e" + LEGACY[register] : "r" + register + "d";
            default -> register < 8 ? "r" + LEGACY[register] : "r" + register;
        };
    }

    static String registerName(OperandKind kind, int register, int size) {
        return switch (kind) {
            case GPR -> generalName(register, size);
            case GPR8_HIGH -> HIGH8[register];
            case SEGMENT -> SEGMENTS[register];
            case CONTROL -> "cr" + register;
            case DEBUG -> "dr" + register;
            case X87 -> register == 0 ? "st" : "st(" + register + ")";
            case MMX -> "mm" + register;
            case XMM -> "xmm" + register;
            case YMM -> "ymm" + register;
            case MEMORY, IMMEDIATE, RELATIVE, FAR -> throw new IllegalArgumentException(kind + " is no register");
        };
    }

    private static String sizeName(int size) {
        return switch (size) {
            case 1 -> "BYTE PTR ";
            case 2 -> "WORD PTR ";
            case 4 -> "DWORD PTR ";
            case 6 -> "FWORD PTR ";
            case 8 -> "QWORD PTR ";
            case 10 -> "TBYTE PTR ";
            case 16 -> "XMMWORD PTR ";
            case 32 -> "YMMWORD PTR ";
            default -> "";
        };
    }

    private static void operand(StringBuilder text, Instruction in, int i, long address) {
        switch (in.kind(i)) {
            case MEMORY -> memory(text, in, i);
            case IMMEDIATE -> immediate(text, in, i);
            case RELATIVE -> hex(text, in.target(address));
            case FAR -> {
                hex(text, in.immediate2() & 0xFFFF);
                hex(text.append(':'), in.immediate());
            }
            case GPR, GPR8_HIGH, SEGMENT, CONTROL, DEBUG, X87, MMX, XMM, YMM -> {
                OperandKind kind = in.kind(i);
                if (kind == OperandKind.X87
                        && in.register(i) == 0
                        && in.row().operand(i).method == OperandSpec.Method.STI) {
                    text.append("st(0)");
                } else {
                    text.append(registerName(kind, in.register(i), in.size(i)));
                }
            }
        }
    }

    private static void immediate(StringBuilder text, Instruction in, int i) {
        if (in.row().operand(i).method == OperandSpec.Method.ONE) {
            text.append('1');
            return;
        }
        boolean second = false;
        for (int k = 0; k < i; k++) {
            second |= in.kind(k) == OperandKind.IMMEDIATE;
        }
        long value = second ? in.immediate2() : in.immediate();
        hex(text, cut(value, in.size(i)));
    }

    private static long cut(long value, int size) {
        return size >= 8 ? value : value & (1L << 8 * size) - 1;
    }

    private static void hex(StringBuilder text, long value) {
        text.append("0x").append(Long.toHexString(value));
    }

    private static void memory(StringBuilder text, Instruction in, int i) {
        if (farPointer(in, i)) {
            text.append(in.size(i) == 4 ? "DWORD PTR " : in.size(i) == 6 ? "FWORD PTR " : "TBYTE PTR ");
        } else if (sized(in, i)) {
            text.append(sizeName(in.size(i)));
        }
        boolean direct = in.base() < 0 && in.index() < 0;
        if (in.segmentOverridden() || direct) {
            text.append(SEGMENTS[in.segment()]).append(':');
        }
        if (direct) {
            hex(text, cut(in.displacement(), in.addressSize()));
            return;
        }
        text.append('[');
        boolean written = false;
        if (in.base() == Instruction.RIP) {
            text.append(in.addressSize() == 8 ? "rip" : "eip");
            written = true;
        } else if (in.base() >= 0) {
            text.append(generalName(in.base(), in.addressSize()));
            written = true;
        }
        if (in.index() >= 0) {
            if (written) {
                text.append('+');
            }
            if (in.vectorIndexSize() != 0) {
                text.append(in.vectorIndexSize() == 32 ? "ymm" : "xmm").append(in.index());
            } else {
                text.append(generalName(in.index(), in.addressSize()));
            }
            if (in.addressSize() != 2) {
                text.append('*').append(1 << in.scale());
            }
        }
        long displacement = in.displacement();
        if (in.base() == Instruction.RIP) {
            hex(text.append('+'), displacement);
        } else if (displacement < 0) {
            hex(text.append('-'), -displacement);
        } else if (displacement != 0 || in.base() < 0) {
            hex(text.append('+'), displacement);
        }
        text.append(']');
    }

    private static boolean farPointer(Instruction in, int i) {
        return in.row().operand(i).type == OperandSpec.Type.P;
    }

    private static boolean sized(Instruction in, int i) {
        OperandSpec spec = in.row().operand(i);
        return spec.type != OperandSpec.Type.S && spec.method != OperandSpec.Method.O;
    }
}
