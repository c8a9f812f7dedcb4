package org.jvirt.engine.soft.simd;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.fp.X87;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// x87 instructions without operand in memory, other than arithmetic between two registers.
final class X87StackOps extends X87Op {
    private final Mnemonic mnemonic;
    /// The register that is an operand beside ST(0).
    private final int i;
    /// One of the instructions of the first coprocessors that do nothing any more, not even wait.
    private final boolean obsolete;
    /// `FSTP` in its encoding D9 D8, which does not mind an empty register.
    private final boolean silent;

    X87StackOps(Instruction insn, int nextOffset) {
        super(insn, nextOffset);
        mnemonic = insn.mnemonic();
        i = insn.operandCount() == 0 ? 1 : insn.register(insn.operandCount() - 1);
        obsolete = mnemonic == Mnemonic.FNOP && insn.row().alias();
        silent = mnemonic == Mnemonic.FSTP && insn.row().alias() && insn.row().opcode() == 0xD9;
    }

    @Override
    public void execute(Cpu cpu) {
        if (obsolete) {
            cpu.useX87();
            return;
        }
        begin(cpu);
        note(cpu);
        X87 x = cpu.x87;
        switch (mnemonic) {
            case FLD -> x.loadSt(i);
            case FXCH -> x.fxch(i);
            case FST -> x.storeSt(i, false);
            case FSTP -> {
                if (silent && isEmpty(x)) {
                    x.ffree(0, true);
                } else {
                    x.storeSt(i, true);
                }
            }
            case FCMOVB -> x.fcmov(i, cpu.flags.cf());
            case FCMOVNB -> x.fcmov(i, !cpu.flags.cf());
            case FCMOVE -> x.fcmov(i, cpu.flags.zf());
            case FCMOVNE -> x.fcmov(i, !cpu.flags.zf());
            case FCMOVBE -> x.fcmov(i, cpu.flags.belowOrEqual());
            case FCMOVNBE -> x.fcmov(i, !cpu.flags.belowOrEqual());
            case FCMOVU -> x.fcmov(i, cpu.flags.pf());
            case FCMOVNU -> x.fcmov(i, !cpu.flags.pf());
            case FCOM -> x.compare(i, false, 0);
            case FCOMP -> x.compare(i, false, 1);
            case FCOMPP -> x.compare(1, false, 2);
            case FUCOM -> x.compare(i, true, 0);
            case FUCOMP -> x.compare(i, true, 1);
            case FUCOMPP -> x.compare(1, true, 2);
            case FCOMI -> cpu.flags.unpack(x.compareToFlags(i, false, false));
            case FCOMIP -> cpu.flags.unpack(x.compareToFlags(i, false, true));
            case FUCOMI -> cpu.flags.unpack(x.compareToFlags(i, true, false));
            case FUCOMIP -> cpu.flags.unpack(x.compareToFlags(i, true, true));
            case FFREE -> x.ffree(i, false);
            case FFREEP -> x.ffree(i, true);
            default -> withoutOperand(x);
        }
    }

    private static boolean isEmpty(X87 x) {
        return (x.fullRegisters() >>> x.top() & 1) == 0;
    }

    private void withoutOperand(X87 x) {
        switch (mnemonic) {
            case FNOP -> {
                // waits only
            }
            case FCHS -> x.fchs();
            case FABS -> x.fabs();
            case FTST -> x.ftst();
            case FXAM -> x.fxam();
            case FLD1 -> x.loadConstant(X87.ONE);
            case FLDL2T -> x.loadConstant(X87.LOG2_10);
            case FLDL2E -> x.loadConstant(X87.LOG2_E);
            case FLDPI -> x.loadConstant(X87.PI);
            case FLDLG2 -> x.loadConstant(X87.LOG10_2);
            case FLDLN2 -> x.loadConstant(X87.LN_2);
            case FLDZ -> x.loadConstant(X87.ZERO);
            case F2XM1 -> x.f2xm1();
            case FYL2X -> x.fyl2x();
            case FYL2XP1 -> x.fyl2xp1();
            case FPTAN -> x.fptan();
            case FPATAN -> x.fpatan();
            case FXTRACT -> x.fxtract();
            case FPREM -> x.fprem();
            case FPREM1 -> x.fprem1();
            case FDECSTP -> x.fdecstp();
            case FINCSTP -> x.fincstp();
            case FSQRT -> x.fsqrt();
            case FSIN -> x.fsin();
            case FCOS -> x.fcos();
            case FSINCOS -> x.fsincos();
            case FRNDINT -> x.frndint();
            case FSCALE -> x.fscale();
            default -> throw new IllegalStateException("not an x87 stack instruction: " + mnemonic);
        }
    }
}
