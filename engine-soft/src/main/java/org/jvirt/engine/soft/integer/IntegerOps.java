package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;

/// The operations of all integer instructions, the only door to this package.
public final class IntegerOps {
    private IntegerOps() {}

    /// The operation for an instruction, or null if it is not an integer instruction. Whether CPUID promises it
    /// has been asked before; only `TZCNT` and `LZCNT` are different instructions without their features.
    ///
    /// @param nextOffset offset of the next instruction from the first byte of the block
    public static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case MOV -> MoveOps.of(insn, nextOffset);
            case MOVZX, MOVSX, MOVSXD -> ExtendOps.of(insn, nextOffset);
            case ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, NOT, NEG, INC, DEC -> ArithmeticOps.of(insn, nextOffset);
            case SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD -> ShiftOps.of(insn, nextOffset);
            case MUL, IMUL -> MultiplyOps.of(insn, nextOffset);
            case DIV, IDIV -> DivideOps.of(insn, nextOffset);
            case BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT -> BitOps.of(insn, nextOffset, context);
            case ANDN, BEXTR, BLSI, BLSMSK, BLSR, BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX, ADCX, ADOX ->
                // real and virtual-8086 mode have no VEX prefix
                insn.vex() && !context.protectedMode() ? null : BmiOps.of(insn, nextOffset);
            case XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B -> ExchangeOps.of(insn, nextOffset);
            case AAA, AAD, AAM, AAS, DAA, DAS, SALC -> DecimalOps.of(insn, nextOffset);
            case PUSH, POP, PUSHA, POPA, ENTER, LEAVE -> StackOps.of(insn, nextOffset, context);
            case JMP,
                    CALL,
                    RET,
                    LOOP,
                    LOOPE,
                    LOOPNE,
                    JRCXZ,
                    JO,
                    JNO,
                    JB,
                    JAE,
                    JE,
                    JNE,
                    JBE,
                    JA,
                    JS,
                    JNS,
                    JP,
                    JNP,
                    JL,
                    JGE,
                    JLE,
                    JG -> BranchOps.of(insn, nextOffset, context);
            case MOVS, CMPS, STOS, LODS, SCAS -> StringOps.of(insn, nextOffset);
            default -> {
                Op op = ConditionalOps.of(insn, nextOffset);
                yield op != null ? op : MiscellaneousOps.of(insn, nextOffset);
            }
        };
    }
}
