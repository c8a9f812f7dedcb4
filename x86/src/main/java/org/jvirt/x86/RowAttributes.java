package org.jvirt.x86;

/// The attribute cell of a row: what stands after the operands. Rows with the same cell share one object.
final class RowAttributes {
    static final int LOCK = 1;
    static final int REP = 1 << 1;
    static final int REPZ = 1 << 2;
    static final int ONLY64 = 1 << 3;
    static final int INVALID64 = 1 << 4;
    static final int DEFAULT64 = 1 << 5;
    static final int FORCED64 = 1 << 6;
    static final int NATURAL = 1 << 7;
    static final int BYTE = 1 << 8;
    static final int MAX32 = 1 << 9;
    static final int CPL0 = 1 << 10;
    static final int IOPL = 1 << 11;
    static final int IO = 1 << 12;
    static final int UMIP = 1 << 13;
    static final int PROTECTED = 1 << 14;
    static final int BRANCH = 1 << 15;
    static final int END = 1 << 16;
    static final int ALIAS = 1 << 17;
    static final int HINT = 1 << 18;
    static final int MOD_ANY = 1 << 19;
    static final int REG_FORM = 1 << 20;
    static final int REX_B0 = 1 << 21;
    static final int UNALIGNED = 1 << 22;
    static final int BIT_BASE = 1 << 23;
    static final int LIG = 1 << 24;
    static final int ALIGN_VECTOR = 1 << 25;

    final int bits;
    /// Operand sizes it is restricted to as a mask of 2, 4, 8; 0 for all.
    final int operandSizes;
    /// VEX.L or -1; W or -1.
    final int l;
    final int w;
    final int alignment;
    final int flagsRead;
    final int flagsWritten;
    final int flagsUndefined;

    private RowAttributes(
            int bits, int operandSizes, int l, int w, int alignment, int read, int written, int undefined) {
        this.bits = bits;
        this.operandSizes = operandSizes;
        this.l = l;
        this.w = w;
        this.alignment = alignment;
        this.flagsRead = read;
        this.flagsWritten = written;
        this.flagsUndefined = undefined;
    }

    boolean has(int bit) {
        return (bits & bit) != 0;
    }

    static RowAttributes parse(String text) {
        int bits = 0;
        int sizes = 0;
        int l = -1;
        int w = -1;
        int alignment = 0;
        int read = 0;
        int written = 0;
        int undefined = 0;
        int at = 0;
        while (at < text.length()) {
            int end = text.indexOf(' ', at);
            if (end < 0) {
                end = text.length();
            }
            String word = text.substring(at, end);
            at = end + 1;
            if (word.isEmpty()) {
                continue;
            }
            if (word.length() > 2 && word.charAt(1) == ':') {
                int mask = FlagMask.parse(word.substring(2));
                switch (word.charAt(0)) {
                    case 't' -> read |= mask;
                    case 'w' -> written |= mask;
                    case 'u' -> undefined |= mask;
                    default -> throw unknown(word);
                }
                continue;
            }
            switch (word) {
                case "arith" -> written |= FlagMask.STATUS;
                case "logic" -> {
                    written |= FlagMask.STATUS & ~FlagMask.AF;
                    undefined |= FlagMask.AF;
                }
                case "os16" -> sizes |= 2;
                case "os32" -> sizes |= 4;
                case "os64" -> sizes |= 8;
                case "L0" -> l = 0;
                case "L1" -> l = 1;
                case "W0" -> w = 0;
                case "W1" -> w = 1;
                case "align16" -> alignment = 16;
                case "align64" -> alignment = 64;
                default -> bits |= bit(word);
            }
        }
        return new RowAttributes(bits, sizes, l, w, alignment, read, written, undefined);
    }

    private static int bit(String word) {
        return switch (word) {
            case "lock" -> LOCK;
            case "rep" -> REP;
            case "repz" -> REPZ;
            case "only64" -> ONLY64;
            case "i64" -> INVALID64;
            case "d64" -> DEFAULT64;
            case "f64" -> FORCED64;
            case "nat" -> NATURAL;
            case "byte" -> BYTE;
            case "max32" -> MAX32;
            case "cpl0" -> CPL0;
            case "iopl" -> IOPL;
            case "io" -> IO;
            case "umip" -> UMIP;
            case "prot" -> PROTECTED;
            case "branch" -> BRANCH;
            case "end" -> END;
            case "alias" -> ALIAS;
            case "hint" -> HINT;
            case "modany" -> MOD_ANY;
            case "reg" -> REG_FORM;
            case "rexb0" -> REX_B0;
            case "ua" -> UNALIGNED;
            case "bitbase" -> BIT_BASE;
            case "lig" -> LIG;
            case "align" -> ALIGN_VECTOR;
            default -> throw unknown(word);
        };
    }

    private static IllegalStateException unknown(String word) {
        return new IllegalStateException("opcode table: no attribute " + word);
    }
}
