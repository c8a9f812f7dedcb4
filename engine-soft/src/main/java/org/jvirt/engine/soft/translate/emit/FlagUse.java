package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Which status flags an instruction uses and which it certainly replaces.
public final class FlagUse {
    private FlagUse() {}

    /// The status flags that matter before an instruction, given those that matter after it.
    public static int before(Instruction insn, int after) {
        return insn.row().flagsRead() & FlagMask.STATUS | after & ~replaced(insn);
    }

    /// Flags that have a new value, or an undefined one, afterwards whatever the operands are.
    public static int replaced(Instruction insn) {
        int written = (insn.row().flagsWritten() | insn.row().flagsUndefined()) & FlagMask.STATUS;
        return switch (insn.mnemonic()) {
            case SHL, SHR, SAR, ROL, ROR, SHLD, SHRD -> shifts(insn) ? written : 0;
            case RCL, RCR -> shifts(insn) && insn.size(0) >= 4 ? written : 0;
            case CMPS, SCAS -> insn.repeatPrefix() != 0 ? 0 : written;
            default -> written;
        };
    }

    /// Whether the count is known and not zero.
    private static boolean shifts(Instruction insn) {
        int last = insn.operandCount() - 1;
        if (insn.kind(last) != OperandKind.IMMEDIATE) {
            return false;
        }
        if (insn.row().operand(last).toString().equals("1")) {
            return true;
        }
        return (insn.immediate() & (insn.operandSize() == 8 ? 63 : 31)) != 0;
    }
}
