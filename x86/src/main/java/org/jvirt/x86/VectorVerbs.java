package org.jvirt.x86;

/// Vector and x87 instructions under their names: the usual ones.
public interface VectorVerbs {
    /// See [Assembler#emit].
    Assembler emit(Mnemonic mnemonic, Operand... operands);

    /// See [Assembler#emitSized].
    Assembler emitSized(Mnemonic mnemonic, int operandSize, Operand... operands);

    default Assembler movaps(Operand destination, Operand source) {
        return emit(Mnemonic.MOVAPS, destination, source);
    }

    default Assembler movups(Operand destination, Operand source) {
        return emit(Mnemonic.MOVUPS, destination, source);
    }

    default Assembler movapd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVAPD, destination, source);
    }

    default Assembler movupd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVUPD, destination, source);
    }

    default Assembler movdqa(Operand destination, Operand source) {
        return emit(Mnemonic.MOVDQA, destination, source);
    }

    default Assembler movdqu(Operand destination, Operand source) {
        return emit(Mnemonic.MOVDQU, destination, source);
    }

    default Assembler movss(Operand destination, Operand source) {
        return emit(Mnemonic.MOVSS, destination, source);
    }

    default Assembler movsd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVSD, destination, source);
    }

    default Assembler movd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVD, destination, source);
    }

    default Assembler movq(Operand destination, Operand source) {
        return emit(Mnemonic.MOVQ, destination, source);
    }

    default Assembler movhps(Operand destination, Operand source) {
        return emit(Mnemonic.MOVHPS, destination, source);
    }

    default Assembler movlps(Operand destination, Operand source) {
        return emit(Mnemonic.MOVLPS, destination, source);
    }

    default Assembler movntdq(Operand destination, Operand source) {
        return emit(Mnemonic.MOVNTDQ, destination, source);
    }

    default Assembler movnti(Operand destination, Operand source) {
        return emit(Mnemonic.MOVNTI, destination, source);
    }

    default Assembler lddqu(Operand destination, Operand source) {
        return emit(Mnemonic.LDDQU, destination, source);
    }

    default Assembler addps(Operand destination, Operand source) {
        return emit(Mnemonic.ADDPS, destination, source);
    }

    default Assembler addpd(Operand destination, Operand source) {
        return emit(Mnemonic.ADDPD, destination, source);
    }

    default Assembler addss(Operand destination, Operand source) {
        return emit(Mnemonic.ADDSS, destination, source);
    }

    default Assembler addsd(Operand destination, Operand source) {
        return emit(Mnemonic.ADDSD, destination, source);
    }

    default Assembler subps(Operand destination, Operand source) {
        return emit(Mnemonic.SUBPS, destination, source);
    }

    default Assembler subpd(Operand destination, Operand source) {
        return emit(Mnemonic.SUBPD, destination, source);
    }

    default Assembler subss(Operand destination, Operand source) {
        return emit(Mnemonic.SUBSS, destination, source);
    }

    default Assembler subsd(Operand destination, Operand source) {
        return emit(Mnemonic.SUBSD, destination, source);
    }

    default Assembler mulps(Operand destination, Operand source) {
        return emit(Mnemonic.MULPS, destination, source);
    }

    default Assembler mulpd(Operand destination, Operand source) {
        return emit(Mnemonic.MULPD, destination, source);
    }

    default Assembler mulss(Operand destination, Operand source) {
        return emit(Mnemonic.MULSS, destination, source);
    }

    default Assembler mulsd(Operand destination, Operand source) {
        return emit(Mnemonic.MULSD, destination, source);
    }

    default Assembler divps(Operand destination, Operand source) {
        return emit(Mnemonic.DIVPS, destination, source);
    }

    default Assembler divpd(Operand destination, Operand source) {
        return emit(Mnemonic.DIVPD, destination, source);
    }

    default Assembler divss(Operand destination, Operand source) {
        return emit(Mnemonic.DIVSS, destination, source);
    }

    default Assembler divsd(Operand destination, Operand source) {
        return emit(Mnemonic.DIVSD, destination, source);
    }

    default Assembler sqrtps(Operand destination, Operand source) {
        return emit(Mnemonic.SQRTPS, destination, source);
    }

    default Assembler sqrtpd(Operand destination, Operand source) {
        return emit(Mnemonic.SQRTPD, destination, source);
    }

    default Assembler sqrtss(Operand destination, Operand source) {
        return emit(Mnemonic.SQRTSS, destination, source);
    }

    default Assembler sqrtsd(Operand destination, Operand source) {
        return emit(Mnemonic.SQRTSD, destination, source);
    }

    default Assembler andps(Operand destination, Operand source) {
        return emit(Mnemonic.ANDPS, destination, source);
    }

    default Assembler xorps(Operand destination, Operand source) {
        return emit(Mnemonic.XORPS, destination, source);
    }

    default Assembler orps(Operand destination, Operand source) {
        return emit(Mnemonic.ORPS, destination, source);
    }

    default Assembler andnps(Operand destination, Operand source) {
        return emit(Mnemonic.ANDNPS, destination, source);
    }

    default Assembler ucomiss(Operand destination, Operand source) {
        return emit(Mnemonic.UCOMISS, destination, source);
    }

    default Assembler ucomisd(Operand destination, Operand source) {
        return emit(Mnemonic.UCOMISD, destination, source);
    }

    default Assembler comiss(Operand destination, Operand source) {
        return emit(Mnemonic.COMISS, destination, source);
    }

    default Assembler comisd(Operand destination, Operand source) {
        return emit(Mnemonic.COMISD, destination, source);
    }

    default Assembler cvtsi2ss(Operand destination, Operand source) {
        return emit(Mnemonic.CVTSI2SS, destination, source);
    }

    default Assembler cvtsi2sd(Operand destination, Operand source) {
        return emit(Mnemonic.CVTSI2SD, destination, source);
    }

    default Assembler cvttss2si(Operand destination, Operand source) {
        return emit(Mnemonic.CVTTSS2SI, destination, source);
    }

    default Assembler cvttsd2si(Operand destination, Operand source) {
        return emit(Mnemonic.CVTTSD2SI, destination, source);
    }

    default Assembler cvtsd2si(Operand destination, Operand source) {
        return emit(Mnemonic.CVTSD2SI, destination, source);
    }

    default Assembler cvtss2sd(Operand destination, Operand source) {
        return emit(Mnemonic.CVTSS2SD, destination, source);
    }

    default Assembler cvtsd2ss(Operand destination, Operand source) {
        return emit(Mnemonic.CVTSD2SS, destination, source);
    }

    default Assembler cvtdq2ps(Operand destination, Operand source) {
        return emit(Mnemonic.CVTDQ2PS, destination, source);
    }

    default Assembler paddb(Operand destination, Operand source) {
        return emit(Mnemonic.PADDB, destination, source);
    }

    default Assembler paddw(Operand destination, Operand source) {
        return emit(Mnemonic.PADDW, destination, source);
    }

    default Assembler paddd(Operand destination, Operand source) {
        return emit(Mnemonic.PADDD, destination, source);
    }

    default Assembler paddq(Operand destination, Operand source) {
        return emit(Mnemonic.PADDQ, destination, source);
    }

    default Assembler psubb(Operand destination, Operand source) {
        return emit(Mnemonic.PSUBB, destination, source);
    }

    default Assembler psubw(Operand destination, Operand source) {
        return emit(Mnemonic.PSUBW, destination, source);
    }

    default Assembler psubd(Operand destination, Operand source) {
        return emit(Mnemonic.PSUBD, destination, source);
    }

    default Assembler psubq(Operand destination, Operand source) {
        return emit(Mnemonic.PSUBQ, destination, source);
    }

    default Assembler pand(Operand destination, Operand source) {
        return emit(Mnemonic.PAND, destination, source);
    }

    default Assembler pandn(Operand destination, Operand source) {
        return emit(Mnemonic.PANDN, destination, source);
    }

    default Assembler por(Operand destination, Operand source) {
        return emit(Mnemonic.POR, destination, source);
    }

    default Assembler pxor(Operand destination, Operand source) {
        return emit(Mnemonic.PXOR, destination, source);
    }

    default Assembler pcmpeqb(Operand destination, Operand source) {
        return emit(Mnemonic.PCMPEQB, destination, source);
    }

    default Assembler pcmpeqw(Operand destination, Operand source) {
        return emit(Mnemonic.PCMPEQW, destination, source);
    }

    default Assembler pcmpeqd(Operand destination, Operand source) {
        return emit(Mnemonic.PCMPEQD, destination, source);
    }

    default Assembler pmovmskb(Operand destination, Operand source) {
        return emit(Mnemonic.PMOVMSKB, destination, source);
    }

    default Assembler movmskps(Operand destination, Operand source) {
        return emit(Mnemonic.MOVMSKPS, destination, source);
    }

    default Assembler movmskpd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVMSKPD, destination, source);
    }

    default Assembler punpcklbw(Operand destination, Operand source) {
        return emit(Mnemonic.PUNPCKLBW, destination, source);
    }

    default Assembler punpckldq(Operand destination, Operand source) {
        return emit(Mnemonic.PUNPCKLDQ, destination, source);
    }

    default Assembler punpcklqdq(Operand destination, Operand source) {
        return emit(Mnemonic.PUNPCKLQDQ, destination, source);
    }

    default Assembler pshufb(Operand destination, Operand source) {
        return emit(Mnemonic.PSHUFB, destination, source);
    }

    default Assembler pmulld(Operand destination, Operand source) {
        return emit(Mnemonic.PMULLD, destination, source);
    }

    default Assembler pmuludq(Operand destination, Operand source) {
        return emit(Mnemonic.PMULUDQ, destination, source);
    }

    default Assembler ptest(Operand destination, Operand source) {
        return emit(Mnemonic.PTEST, destination, source);
    }

    default Assembler aesenc(Operand destination, Operand source) {
        return emit(Mnemonic.AESENC, destination, source);
    }

    default Assembler aesdec(Operand destination, Operand source) {
        return emit(Mnemonic.AESDEC, destination, source);
    }

    default Assembler pshufd(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.PSHUFD, destination, source, new Imm(immediate));
    }

    default Assembler shufps(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.SHUFPS, destination, source, new Imm(immediate));
    }

    default Assembler palignr(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.PALIGNR, destination, source, new Imm(immediate));
    }

    default Assembler pclmulqdq(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.PCLMULQDQ, destination, source, new Imm(immediate));
    }

    default Assembler roundsd(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.ROUNDSD, destination, source, new Imm(immediate));
    }

    default Assembler pinsrw(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.PINSRW, destination, source, new Imm(immediate));
    }

    default Assembler pextrw(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.PEXTRW, destination, source, new Imm(immediate));
    }

    default Assembler fld(Operand operand) {
        return emit(Mnemonic.FLD, operand);
    }

    default Assembler fst(Operand operand) {
        return emit(Mnemonic.FST, operand);
    }

    default Assembler fstp(Operand operand) {
        return emit(Mnemonic.FSTP, operand);
    }

    default Assembler fild(Operand operand) {
        return emit(Mnemonic.FILD, operand);
    }

    default Assembler fist(Operand operand) {
        return emit(Mnemonic.FIST, operand);
    }

    default Assembler fistp(Operand operand) {
        return emit(Mnemonic.FISTP, operand);
    }

    default Assembler fldcw(Operand operand) {
        return emit(Mnemonic.FLDCW, operand);
    }

    default Assembler fnstcw(Operand operand) {
        return emit(Mnemonic.FNSTCW, operand);
    }

    default Assembler fnstsw(Operand operand) {
        return emit(Mnemonic.FNSTSW, operand);
    }

    default Assembler fnstenv(Operand operand) {
        return emit(Mnemonic.FNSTENV, operand);
    }

    default Assembler fldenv(Operand operand) {
        return emit(Mnemonic.FLDENV, operand);
    }

    default Assembler fnsave(Operand operand) {
        return emit(Mnemonic.FNSAVE, operand);
    }

    default Assembler frstor(Operand operand) {
        return emit(Mnemonic.FRSTOR, operand);
    }

    default Assembler fninit() {
        return emit(Mnemonic.FNINIT);
    }

    default Assembler fnclex() {
        return emit(Mnemonic.FNCLEX);
    }

    default Assembler fwait() {
        return emit(Mnemonic.FWAIT);
    }

    default Assembler fld1() {
        return emit(Mnemonic.FLD1);
    }

    default Assembler fldz() {
        return emit(Mnemonic.FLDZ);
    }

    default Assembler fldpi() {
        return emit(Mnemonic.FLDPI);
    }

    default Assembler fchs() {
        return emit(Mnemonic.FCHS);
    }

    default Assembler fabs() {
        return emit(Mnemonic.FABS);
    }

    default Assembler fsqrt() {
        return emit(Mnemonic.FSQRT);
    }

    default Assembler fsin() {
        return emit(Mnemonic.FSIN);
    }

    default Assembler fcos() {
        return emit(Mnemonic.FCOS);
    }

    default Assembler fptan() {
        return emit(Mnemonic.FPTAN);
    }

    default Assembler fpatan() {
        return emit(Mnemonic.FPATAN);
    }

    default Assembler fyl2x() {
        return emit(Mnemonic.FYL2X);
    }

    default Assembler f2xm1() {
        return emit(Mnemonic.F2XM1);
    }

    default Assembler fnop() {
        return emit(Mnemonic.FNOP);
    }

    default Assembler emms() {
        return emit(Mnemonic.EMMS);
    }

    default Assembler fadd(Operand operand) {
        return emit(Mnemonic.FADD, operand);
    }

    default Assembler fadd(Operand destination, Operand source) {
        return emit(Mnemonic.FADD, destination, source);
    }

    default Assembler fsub(Operand operand) {
        return emit(Mnemonic.FSUB, operand);
    }

    default Assembler fsub(Operand destination, Operand source) {
        return emit(Mnemonic.FSUB, destination, source);
    }

    default Assembler fmul(Operand operand) {
        return emit(Mnemonic.FMUL, operand);
    }

    default Assembler fmul(Operand destination, Operand source) {
        return emit(Mnemonic.FMUL, destination, source);
    }

    default Assembler fdiv(Operand operand) {
        return emit(Mnemonic.FDIV, operand);
    }

    default Assembler fdiv(Operand destination, Operand source) {
        return emit(Mnemonic.FDIV, destination, source);
    }

    default Assembler faddp(Operand destination, Operand source) {
        return emit(Mnemonic.FADDP, destination, source);
    }

    default Assembler fsubp(Operand destination, Operand source) {
        return emit(Mnemonic.FSUBP, destination, source);
    }

    default Assembler fmulp(Operand destination, Operand source) {
        return emit(Mnemonic.FMULP, destination, source);
    }

    default Assembler fdivp(Operand destination, Operand source) {
        return emit(Mnemonic.FDIVP, destination, source);
    }

    default Assembler fcomi(Operand destination, Operand source) {
        return emit(Mnemonic.FCOMI, destination, source);
    }

    default Assembler fucomi(Operand destination, Operand source) {
        return emit(Mnemonic.FUCOMI, destination, source);
    }

    default Assembler fcomip(Operand destination, Operand source) {
        return emit(Mnemonic.FCOMIP, destination, source);
    }

    default Assembler fucomip(Operand destination, Operand source) {
        return emit(Mnemonic.FUCOMIP, destination, source);
    }
}
