package org.jvirt.engine.soft.translate.vector;

import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Which x87 and MMX instructions the host executes itself.
///
/// The transcendental functions differ from processor to processor in their last bits, and BCD in what invalid
/// digits give: they are the interpreter's, so that guests see the same everywhere. So are the images of the unit,
/// which show its pointers.
public final class X87Instructions {
    private X87Instructions() {}

    /// Whether the host executes an instruction on its x87 or MMX registers.
    public static boolean isNative(Instruction insn, HostCpu host) {
        if (!host.has(CpuFeature.XSAVE) || !host.has(insn.row().feature())) {
            return false;
        }
        if (insn.mnemonic() == Mnemonic.EMMS || usesMmx(insn)) {
            return insn.mnemonic() != Mnemonic.MASKMOVQ;
        }
        if (insn.row().alias()) {
            return false;
        }
        return isControl(insn.mnemonic()) || isNumeric(insn.mnemonic());
    }

    /// What else it needs.
    public static VectorUse vectors(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.XMM) {
                return VectorUse.SSE;
            }
        }
        return switch (insn.mnemonic()) {
            // from memory, with MXCSR's rounding
            case CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI -> VectorUse.SSE;
            default -> VectorUse.NONE;
        };
    }

    private static boolean usesMmx(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.MMX) {
                return true;
            }
        }
        return false;
    }

    /// Instructions that the unit does not remember as its last.
    private static boolean isControl(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case FLDCW, FNSTCW, FNSTSW, FNCLEX, FNINIT, FWAIT -> true;
            default -> false;
        };
    }

    /// Whether the unit remembers a native instruction as its last one.
    public static boolean isNoted(Instruction insn) {
        return isNumeric(insn.mnemonic());
    }

    private static boolean isNumeric(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case FADD, FADDP, FIADD, FMUL, FMULP, FIMUL -> true;
            case FSUB, FSUBP, FISUB, FSUBR, FSUBRP, FISUBR -> true;
            case FDIV, FDIVP, FIDIV, FDIVR, FDIVRP, FIDIVR -> true;
            case FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP, FICOM, FICOMP -> true;
            case FCOMI, FCOMIP, FUCOMI, FUCOMIP, FTST, FXAM -> true;
            case FCMOVB, FCMOVE, FCMOVBE, FCMOVU, FCMOVNB, FCMOVNE, FCMOVNBE, FCMOVNU -> true;
            case FLD, FILD, FST, FSTP, FIST, FISTP, FISTTP, FXCH -> true;
            case FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ -> true;
            case FNOP, FCHS, FABS, FSQRT, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1 -> true;
            case FFREE, FFREEP, FDECSTP, FINCSTP -> true;
            default -> false;
        };
    }
}
