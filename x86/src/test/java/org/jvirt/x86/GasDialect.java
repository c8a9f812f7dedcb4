package org.jvirt.x86;

/// What GNU as cannot be asked about, or wants spelled in another way.
final class GasDialect {
    private GasDialect() {}

    /// Whether it reads the instruction's text as this instruction.
    static boolean understands(Instruction in) {
        OpcodeRow row = in.row();
        if (row.alias() || in.operandCount() > 0 && in.kind(0) == OperandKind.RELATIVE) {
            return false;
        }
        return switch (in.mnemonic()) {
            // m16:64 and 16-bit forms that it refuses
            case CALLF, JMPF, LSS, LFS, LGS, MOVSXD, BSWAP -> in.operandSize() == 4;
            // the upper half of the register is zero either way
            case STR, SLDT, SMSW -> in.kind(0) == OperandKind.MEMORY || in.operandSize() == 4;
            // the text does not show the 16-bit layout
            case FLDENV, FNSTENV, FNSAVE, FRSTOR -> in.operandSize() != 2;
            default -> true;
        };
    }

    /// Whether the text does not tell the operand size, so that it reads the default.
    static boolean hidesSize(Instruction in) {
        return switch (in.mnemonic()) {
            case LEAVE, RETF, SYSEXIT -> true;
            default -> false;
        };
    }

    static String write(Instruction in) {
        return Disassembler.text(in, 0);
    }
}
