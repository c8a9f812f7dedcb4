package org.jvirt.x86;

/// One operand of an opcode row in the manual's notation (Intel SDM volume 2, appendix A.2): an addressing method,
/// where the operand is encoded, followed by a type, how large it is: `Ev`, `Gb`, `Wps`.
///
/// Extensions: `sIb` is an immediate byte sign-extended to the operand size, `Z` a register in the opcode's low
/// bits, `B` a general and `H` a vector register in VEX.vvvv, `L` one in the immediate's high half, `VM` memory
/// with a vector index, `STi` an x87 register; types `vw`, `db`, `dw`, `dqd` name a register's size and then the
/// smaller one that the operand has in memory.
public final class OperandSpec {
    /// Where the operand is encoded.
    enum Method {
        E,
        G,
        M,
        I,
        SIGNED_I,
        J,
        Z,
        R,
        V,
        W,
        U,
        H,
        B,
        L,
        VM,
        P,
        Q,
        N,
        S,
        C,
        D,
        O,
        A,
        STI,
        FIXED,
        ONE
    }

    /// How large the operand is.
    enum Type {
        NONE,
        B,
        W,
        D,
        Q,
        DQ,
        QQ,
        X,
        V,
        Z,
        Y,
        P,
        S,
        T,
        A,
        E,
        F,
        FX,
        XS,
        SS,
        SD,
        VW,
        DB,
        DW,
        DQD,
        H,
        VM_X,
        VM_XD,
        VM_XH,
        VM_XQ
    }

    final String text;
    final Method method;
    final Type type;
    final OperandKind fixedKind;
    final int fixedRegister;

    private OperandSpec(String text, Method method, Type type, OperandKind fixedKind, int fixedRegister) {
        this.text = text;
        this.method = method;
        this.type = type;
        this.fixedKind = fixedKind;
        this.fixedRegister = fixedRegister;
    }

    /// The notation, as in the table.
    @Override
    public String toString() {
        return text;
    }

    /// Whether the operand is a memory operand through ModRM, in at least one form.
    public boolean mayBeMemory() {
        return switch (method) {
            case E, M, W, Q, VM, O -> true;
            default -> false;
        };
    }

    boolean inModRmReg() {
        return switch (method) {
            case G, V, P, S, C, D -> true;
            default -> false;
        };
    }

    boolean inModRmRm() {
        return switch (method) {
            case E, M, R, W, U, Q, N, VM -> true;
            default -> false;
        };
    }

    boolean memoryOnly() {
        return method == Method.M || method == Method.VM;
    }

    boolean registerOnly() {
        return method == Method.R || method == Method.U || method == Method.N;
    }

    boolean inVvvv() {
        return method == Method.H || method == Method.B;
    }

    /// The operand's size in bytes under the effective sizes; `memory` chooses where a register differs from
    /// memory.
    int size(int operandSize, boolean wide, int vectorLength, boolean longMode, boolean memory) {
        return switch (type) {
            case NONE, XS -> 0;
            case B -> 1;
            case W -> 2;
            case D, SS -> 4;
            case Q, SD -> 8;
            case DQ -> 16;
            case QQ -> 32;
            case X -> vectorLength == 32 ? 32 : 16;
            case H -> vectorLength == 32 ? 16 : 8;
            case V -> operandSize;
            case Z -> Math.min(operandSize, 4);
            case Y -> wide ? 8 : 4;
            case P -> operandSize + 2;
            case S -> longMode ? 10 : 6;
            case T -> 10;
            case A -> 2 * operandSize;
            case E -> operandSize == 2 ? 14 : 28;
            case F -> operandSize == 2 ? 94 : 108;
            case FX -> 512;
            case VW -> memory ? 2 : operandSize;
            case DB -> memory ? 1 : 4;
            case DW -> memory ? 2 : 4;
            case DQD -> memory ? 4 : 16;
            case VM_X, VM_XH -> 4;
            case VM_XD, VM_XQ -> 8;
        };
    }

    /// Bytes that an immediate, displacement or direct address takes in the instruction.
    int encodedSize(int operandSize, int addressSize) {
        return switch (method) {
            case SIGNED_I -> 1;
            case I, J ->
                switch (type) {
                    case B -> 1;
                    case W -> 2;
                    case Z -> Math.min(operandSize, 4);
                    case V -> operandSize;
                    default -> throw new IllegalStateException("operand " + text + " has no encoded size");
                };
            case O -> addressSize;
            case A -> operandSize + 2;
            case L -> 1;
            default -> 0;
        };
    }

    static OperandSpec parse(String text) {
        return switch (text) {
            case "1" -> new OperandSpec(text, Method.ONE, Type.B, OperandKind.IMMEDIATE, 0);
            case "AL" -> fixed(text, OperandKind.GPR, 0, Type.B);
            case "CL" -> fixed(text, OperandKind.GPR, 1, Type.B);
            case "AX" -> fixed(text, OperandKind.GPR, 0, Type.W);
            case "DX" -> fixed(text, OperandKind.GPR, 2, Type.W);
            case "rAX" -> fixed(text, OperandKind.GPR, 0, Type.V);
            case "eAX" -> fixed(text, OperandKind.GPR, 0, Type.Z);
            case "ES" -> fixed(text, OperandKind.SEGMENT, 0, Type.W);
            case "CS" -> fixed(text, OperandKind.SEGMENT, 1, Type.W);
            case "SS" -> fixed(text, OperandKind.SEGMENT, 2, Type.W);
            case "DS" -> fixed(text, OperandKind.SEGMENT, 3, Type.W);
            case "FS" -> fixed(text, OperandKind.SEGMENT, 4, Type.W);
            case "GS" -> fixed(text, OperandKind.SEGMENT, 5, Type.W);
            case "ST0" -> fixed(text, OperandKind.X87, 0, Type.T);
            case "STi" -> new OperandSpec(text, Method.STI, Type.T, OperandKind.X87, 0);
            case "XMM0" -> fixed(text, OperandKind.XMM, 0, Type.DQ);
            case "sIb" -> new OperandSpec(text, Method.SIGNED_I, Type.V, OperandKind.IMMEDIATE, 0);
            case "VMx" -> new OperandSpec(text, Method.VM, Type.VM_X, OperandKind.MEMORY, 0);
            case "VMxd" -> new OperandSpec(text, Method.VM, Type.VM_XD, OperandKind.MEMORY, 0);
            case "VMxh" -> new OperandSpec(text, Method.VM, Type.VM_XH, OperandKind.MEMORY, 0);
            case "VMxq" -> new OperandSpec(text, Method.VM, Type.VM_XQ, OperandKind.MEMORY, 0);
            default -> general(text);
        };
    }

    private static OperandSpec fixed(String text, OperandKind kind, int register, Type type) {
        return new OperandSpec(text, Method.FIXED, type, kind, register);
    }

    private static OperandSpec general(String text) {
        Method method = switch (text.charAt(0)) {
            case 'E' -> Method.E;
            case 'G' -> Method.G;
            case 'M' -> Method.M;
            case 'I' -> Method.I;
            case 'J' -> Method.J;
            case 'Z' -> Method.Z;
            case 'R' -> Method.R;
            case 'V' -> Method.V;
            case 'W' -> Method.W;
            case 'U' -> Method.U;
            case 'H' -> Method.H;
            case 'B' -> Method.B;
            case 'L' -> Method.L;
            case 'P' -> Method.P;
            case 'Q' -> Method.Q;
            case 'N' -> Method.N;
            case 'S' -> Method.S;
            case 'C' -> Method.C;
            case 'D' -> Method.D;
            case 'O' -> Method.O;
            case 'A' -> Method.A;
            default -> throw new IllegalStateException("opcode table: no operand notation " + text);
        };
        OperandKind kind = switch (method) {
            case E, G, R, Z, B -> OperandKind.GPR;
            case V, W, U, H, L -> OperandKind.XMM;
            case P, Q, N -> OperandKind.MMX;
            case S -> OperandKind.SEGMENT;
            case C -> OperandKind.CONTROL;
            case D -> OperandKind.DEBUG;
            case I, SIGNED_I, ONE -> OperandKind.IMMEDIATE;
            case J -> OperandKind.RELATIVE;
            case A -> OperandKind.FAR;
            case M, VM, O -> OperandKind.MEMORY;
            case STI, FIXED -> OperandKind.X87;
        };
        return new OperandSpec(text, method, type(text.substring(1)), kind, 0);
    }

    private static Type type(String text) {
        return switch (text) {
            case "" -> Type.NONE;
            case "b" -> Type.B;
            case "w" -> Type.W;
            case "d" -> Type.D;
            case "q" -> Type.Q;
            case "dq" -> Type.DQ;
            case "qq" -> Type.QQ;
            case "x", "ps", "pd" -> Type.X;
            case "v" -> Type.V;
            case "z" -> Type.Z;
            case "y" -> Type.Y;
            case "p" -> Type.P;
            case "s" -> Type.S;
            case "t" -> Type.T;
            case "a" -> Type.A;
            case "e" -> Type.E;
            case "f" -> Type.F;
            case "fx" -> Type.FX;
            case "xs" -> Type.XS;
            case "ss" -> Type.SS;
            case "sd" -> Type.SD;
            case "vw" -> Type.VW;
            case "db" -> Type.DB;
            case "dw" -> Type.DW;
            case "dqd" -> Type.DQD;
            case "h" -> Type.H;
            default -> throw new IllegalStateException("opcode table: no operand type " + text);
        };
    }
}
