package org.jvirt.engine.soft.translate;

import org.jvirt.x86.Instruction;

/// Instructions whose accesses are those that their checks ask for, in the order of the checks, and which have
/// nothing that counts for more than a page fault but the alignment of their operand.
///
/// Not among them is what accesses less than it names (masks), or may find something else wrong first.
final class PlainFaults {
    private PlainFaults() {}

    /// Whether the instruction is one of these in 64-bit code.
    static boolean has(Instruction insn) {
        return switch (insn.mnemonic()) {
            case MOV, MOVZX, MOVSX, MOVSXD, MOVNTI, MOVBE -> true;
            case ADD, ADC, SUB, SBB, AND, OR, XOR, CMP, TEST, INC, DEC, NEG, NOT -> true;
            case IMUL, MUL, SHL, SHR, SAR, ROL, ROR, BSF, BSR, LZCNT, TZCNT, POPCNT -> true;
            case BT, BTS, BTR, BTC, XCHG, XADD, CMPXCHG -> true;
            case CMOVA, CMOVAE, CMOVB, CMOVBE, CMOVE, CMOVNE, CMOVG, CMOVGE, CMOVL, CMOVLE, CMOVS, CMOVNS -> true;
            case SETA, SETAE, SETB, SETBE, SETE, SETNE, SETG, SETGE, SETL, SETLE, SETS, SETNS -> true;
            case PUSH, POP, CALL, RET, JMP, LEAVE -> true;
            case MOVS, STOS, LODS, SCAS, CMPS -> true;
            case MOVAPS, MOVAPD, MOVUPS, MOVUPD, MOVDQA, MOVDQU, LDDQU, MOVSS, MOVSD, MOVD, MOVQ -> true;
            case MOVLPS, MOVHPS, MOVLPD, MOVHPD, MOVNTDQ, MOVNTPS, MOVNTPD -> true;
            case ADDSD, SUBSD, MULSD, DIVSD, ADDSS, SUBSS, MULSS, DIVSS, ADDPD, SUBPD, MULPD, ADDPS, MULPS -> true;
            case PXOR, POR, PAND, PCMPEQB, PMINUB, PADDB, PADDD, PADDQ -> true;
            default -> false;
        };
    }

    /// Whether the access of one of these may go on to the next page: it is neither indivisible nor one of several
    /// that are counted to the page's end.
    static boolean mayCross(Instruction insn) {
        return switch (insn.mnemonic()) {
            case XCHG, MOVS, STOS, LODS, SCAS, CMPS -> false;
            default -> !insn.lock();
        };
    }
}
