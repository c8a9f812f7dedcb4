package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.fp.X87;
import org.jvirt.x86.Instruction;

/// The operations of all x87 instructions: they bring together the unit [X87], memory and the flags.
public final class X87Ops {
    private X87Ops() {}

    /// The operation for an instruction, or null if it is not an x87 instruction.
    ///
    /// @param nextOffset offset of the next instruction from the first byte of the block
    public static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        boolean memory = insn.memoryOperand() >= 0;
        return switch (insn.mnemonic()) {
            case FADD, FIADD -> arithmetic(insn, nextOffset, memory, X87.ADD);
            case FMUL, FIMUL -> arithmetic(insn, nextOffset, memory, X87.MUL);
            case FSUB, FISUB -> arithmetic(insn, nextOffset, memory, X87.SUB);
            case FSUBR, FISUBR -> arithmetic(insn, nextOffset, memory, X87.SUBR);
            case FDIV, FIDIV -> arithmetic(insn, nextOffset, memory, X87.DIV);
            case FDIVR, FIDIVR -> arithmetic(insn, nextOffset, memory, X87.DIVR);
            case FADDP -> arithmetic(insn, nextOffset, memory, X87.ADD);
            case FMULP -> arithmetic(insn, nextOffset, memory, X87.MUL);
            case FSUBP -> arithmetic(insn, nextOffset, memory, X87.SUB);
            case FSUBRP -> arithmetic(insn, nextOffset, memory, X87.SUBR);
            case FDIVP -> arithmetic(insn, nextOffset, memory, X87.DIV);
            case FDIVRP -> arithmetic(insn, nextOffset, memory, X87.DIVR);
            case FCOM, FCOMP, FICOM, FICOMP ->
                memory ? new X87MemoryOps.Compare(insn, nextOffset) : new X87StackOps(insn, nextOffset);
            case FLD, FILD, FBLD ->
                memory ? new X87MemoryOps.Load(insn, nextOffset) : new X87StackOps(insn, nextOffset);
            case FST, FSTP, FIST, FISTP, FISTTP, FBSTP ->
                memory ? new X87MemoryOps.Store(insn, nextOffset) : new X87StackOps(insn, nextOffset);
            case FLDCW, FNSTCW, FNSTSW, FNINIT, FNCLEX, FWAIT, FLDENV, FNSTENV, FRSTOR, FNSAVE ->
                new X87ControlOps(insn, nextOffset, context);
            case FXCH,
                    FCMOVB,
                    FCMOVE,
                    FCMOVBE,
                    FCMOVU,
                    FCMOVNB,
                    FCMOVNE,
                    FCMOVNBE,
                    FCMOVNU,
                    FCOMPP,
                    FUCOM,
                    FUCOMP,
                    FUCOMPP,
                    FCOMI,
                    FCOMIP,
                    FUCOMI,
                    FUCOMIP,
                    FFREE,
                    FFREEP,
                    FNOP,
                    FCHS,
                    FABS,
                    FTST,
                    FXAM,
                    FLD1,
                    FLDL2T,
                    FLDL2E,
                    FLDPI,
                    FLDLG2,
                    FLDLN2,
                    FLDZ,
                    F2XM1,
                    FYL2X,
                    FPTAN,
                    FPATAN,
                    FXTRACT,
                    FPREM1,
                    FDECSTP,
                    FINCSTP,
                    FPREM,
                    FYL2XP1,
                    FSQRT,
                    FSINCOS,
                    FRNDINT,
                    FSCALE,
                    FSIN,
                    FCOS -> new X87StackOps(insn, nextOffset);
            default -> null;
        };
    }

    private static Op arithmetic(Instruction insn, int nextOffset, boolean memory, int operation) {
        return memory
                ? new X87MemoryOps.Arithmetic(insn, nextOffset, operation)
                : new X87Arithmetic(insn, nextOffset, operation);
    }

    /// Whether an instruction with an operand in memory treats it as an integer.
    static boolean isInteger(Instruction insn) {
        return insn.mnemonic().name().startsWith("FI");
    }

    /// What the unit keeps as opcode of the last instruction: the low three bits of the first byte, and the ModRM
    /// byte. That of a memory operand is put together from the address, with the shortest displacement.
    public static int opcode(Instruction insn) {
        int escape = (insn.row().opcode() & 7) << 8;
        int operand = insn.memoryOperand();
        if (operand < 0) {
            return escape | registerModRm(insn);
        }
        int reg = Math.max(insn.row().digit(), 0) << 3;
        if (insn.base() == Instruction.RIP) {
            return escape | reg | 5;
        }
        if (insn.base() < 0 && insn.index() < 0) {
            return escape | reg | (insn.codeSize().isLong() ? 4 : insn.addressSize() == 2 ? 6 : 5);
        }
        long displacement = insn.displacement();
        int mod = displacement == 0 ? 0 : displacement == (byte) displacement ? 0x40 : 0x80;
        int rm = insn.index() >= 0 || (insn.base() & 7) == 4 ? 4 : insn.base() & 7;
        return escape | reg | mod | rm;
    }

    private static int registerModRm(Instruction insn) {
        // the row reads as in the table: "D9:E8", "D8:C0+", or "D9/4" where only the digit counts
        String row = insn.row().toString();
        int colon = row.indexOf(':');
        int modRm = colon >= 0
                ? Integer.parseInt(row, colon + 1, colon + 3, 16)
                : 0xC0 | Math.max(insn.row().digit(), 0) << 3;
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.row().operand(i).toString().equals("STi")) {
                return modRm & ~7 | insn.register(i);
            }
        }
        return modRm;
    }
}
