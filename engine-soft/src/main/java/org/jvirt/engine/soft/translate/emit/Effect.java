package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// What an instruction does to general registers, as far as [AccessPlan] has to know.
enum Effect {
    /// It changes no registers but those that it names as destinations.
    NAMED,
    /// RAX and RDX, too.
    ACCUMULATOR,
    /// PUSH or POP of 8 bytes.
    STACK,
    /// A branch; CALL and RET move RSP.
    BRANCH,
    /// It may change any.
    OTHER;

    /// @param vector whether it is a vector instruction that the host executes
    static Effect of(Instruction insn, boolean vector) {
        if (vector) {
            return switch (insn.mnemonic()) {
                case PCMPESTRI, PCMPISTRI, VPCMPESTRI, VPCMPISTRI -> OTHER;
                default -> NAMED;
            };
        }
        if (insn.row().hint()) {
            return NAMED;
        }
        return switch (insn.mnemonic()) {
            case MOV -> isGeneral(insn) ? NAMED : OTHER;
            case PUSH, POP -> insn.operandSize() == 8 && isWord(insn) ? STACK : OTHER;
            case CALL, RET, JMP, JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG -> BRANCH;
            case IMUL -> insn.operandCount() > 1 ? NAMED : ACCUMULATOR;
            case MUL, DIV, IDIV, CMPXCHG, CBW, CWDE, CDQE, CWD, CDQ, CQO -> ACCUMULATOR;
            case ADD,
                    OR,
                    ADC,
                    SBB,
                    AND,
                    SUB,
                    XOR,
                    CMP,
                    TEST,
                    INC,
                    DEC,
                    NEG,
                    NOT,
                    LEA,
                    NOP,
                    MOVZX,
                    MOVSX,
                    MOVSXD,
                    XCHG,
                    XADD,
                    SHL,
                    SHR,
                    SAR,
                    ROL,
                    ROR,
                    RCL,
                    RCR,
                    SHLD,
                    SHRD,
                    BSWAP,
                    BSF,
                    BSR,
                    BT,
                    BTS,
                    BTR,
                    BTC,
                    CLC,
                    STC,
                    CMC,
                    MOVNTI,
                    LZCNT,
                    TZCNT,
                    POPCNT,
                    MOVBE,
                    CRC32,
                    ADCX,
                    ADOX,
                    ANDN,
                    BEXTR,
                    BLSI,
                    BLSMSK,
                    BLSR,
                    BZHI,
                    MULX,
                    PDEP,
                    PEXT,
                    RORX,
                    SARX,
                    SHLX,
                    SHRX,
                    CMOVA,
                    CMOVAE,
                    CMOVB,
                    CMOVBE,
                    CMOVE,
                    CMOVG,
                    CMOVGE,
                    CMOVL,
                    CMOVLE,
                    CMOVNE,
                    CMOVNO,
                    CMOVNP,
                    CMOVNS,
                    CMOVO,
                    CMOVP,
                    CMOVS,
                    SETA,
                    SETAE,
                    SETB,
                    SETBE,
                    SETE,
                    SETG,
                    SETGE,
                    SETL,
                    SETLE,
                    SETNE,
                    SETNO,
                    SETNP,
                    SETNS,
                    SETO,
                    SETP,
                    SETS -> NAMED;
            default -> OTHER;
        };
    }

    private static boolean isGeneral(Instruction insn) {
        for (int i = 0; i < 2; i++) {
            switch (insn.kind(i)) {
                case SEGMENT, CONTROL, DEBUG -> {
                    return false;
                }
                default -> {
                    // ordinary
                }
            }
        }
        return true;
    }

    private static boolean isWord(Instruction insn) {
        return switch (insn.kind(0)) {
            case GPR, IMMEDIATE -> true;
            case MEMORY -> insn.mnemonic() == Mnemonic.PUSH;
            default -> false;
        };
    }

    /// Whether the emitter's code for it leaves R13 alone, apart from what its memory operand needs.
    static boolean keepsScratch(Instruction insn) {
        int spilled = -1;
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR8_HIGH) {
                return false;
            }
            if (insn.kind(i) == OperandKind.GPR && BlockEmitter.host(insn.register(i)) < 0) {
                if (spilled >= 0 && spilled != insn.register(i)) {
                    return false;
                }
                spilled = insn.register(i);
            }
        }
        return switch (insn.mnemonic()) {
            // a count in CL
            case SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD ->
                insn.kind(insn.operandCount() - 1) == OperandKind.IMMEDIATE;
            case LEA -> isOnHost(insn.base()) && isOnHost(insn.index());
            default -> true;
        };
    }

    /// Whether the emitter's code for it leaves RCX and R13 alone if its memory operand has been checked before.
    static boolean leavesScratch(Instruction insn, boolean vector) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR && !isOnHost(insn.register(i))) {
                return false;
            }
        }
        return keepsScratch(insn)
                && (vector
                        || switch (insn.mnemonic()) {
                            case MOV, MOVZX, MOVSX, MOVSXD, NOP -> true;
                            case ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG, NOT -> true;
                            case SHL, SHR, SAR, ROL, ROR, RCL, RCR -> true;
                            case IMUL -> insn.operandCount() > 1;
                            case LEA -> insn.addressSize() == 8 && insn.size(0) >= 4;
                            case JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG -> true;
                            default -> false;
                        });
    }

    private static boolean isOnHost(int register) {
        return register < 0 || register < Instruction.RIP && BlockEmitter.host(register) >= 0;
    }

    /// Whether the instruction names a register, in its memory operand too.
    static boolean names(Instruction insn, int register) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR && insn.register(i) == register) {
                return true;
            }
        }
        return insn.memoryOperand() >= 0 && (insn.base() == register || insn.index() == register);
    }
}
