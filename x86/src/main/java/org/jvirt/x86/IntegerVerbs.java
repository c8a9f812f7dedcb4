package org.jvirt.x86;

/// The integer instructions under their names, for code that reads like assembly; anything else goes through
/// [#emit].
public interface IntegerVerbs {
    /// See [Assembler#emit].
    Assembler emit(Mnemonic mnemonic, Operand... operands);

    /// See [Assembler#emitSized].
    Assembler emitSized(Mnemonic mnemonic, int operandSize, Operand... operands);

    default Assembler mov(Operand destination, Operand source) {
        return emit(Mnemonic.MOV, destination, source);
    }

    default Assembler mov(Operand destination, long immediate) {
        return emit(Mnemonic.MOV, destination, new Imm(immediate));
    }

    default Assembler add(Operand destination, Operand source) {
        return emit(Mnemonic.ADD, destination, source);
    }

    default Assembler add(Operand destination, long immediate) {
        return emit(Mnemonic.ADD, destination, new Imm(immediate));
    }

    default Assembler or(Operand destination, Operand source) {
        return emit(Mnemonic.OR, destination, source);
    }

    default Assembler or(Operand destination, long immediate) {
        return emit(Mnemonic.OR, destination, new Imm(immediate));
    }

    default Assembler adc(Operand destination, Operand source) {
        return emit(Mnemonic.ADC, destination, source);
    }

    default Assembler adc(Operand destination, long immediate) {
        return emit(Mnemonic.ADC, destination, new Imm(immediate));
    }

    default Assembler sbb(Operand destination, Operand source) {
        return emit(Mnemonic.SBB, destination, source);
    }

    default Assembler sbb(Operand destination, long immediate) {
        return emit(Mnemonic.SBB, destination, new Imm(immediate));
    }

    default Assembler and(Operand destination, Operand source) {
        return emit(Mnemonic.AND, destination, source);
    }

    default Assembler and(Operand destination, long immediate) {
        return emit(Mnemonic.AND, destination, new Imm(immediate));
    }

    default Assembler sub(Operand destination, Operand source) {
        return emit(Mnemonic.SUB, destination, source);
    }

    default Assembler sub(Operand destination, long immediate) {
        return emit(Mnemonic.SUB, destination, new Imm(immediate));
    }

    default Assembler xor(Operand destination, Operand source) {
        return emit(Mnemonic.XOR, destination, source);
    }

    default Assembler xor(Operand destination, long immediate) {
        return emit(Mnemonic.XOR, destination, new Imm(immediate));
    }

    default Assembler cmp(Operand destination, Operand source) {
        return emit(Mnemonic.CMP, destination, source);
    }

    default Assembler cmp(Operand destination, long immediate) {
        return emit(Mnemonic.CMP, destination, new Imm(immediate));
    }

    default Assembler test(Operand destination, Operand source) {
        return emit(Mnemonic.TEST, destination, source);
    }

    default Assembler test(Operand destination, long immediate) {
        return emit(Mnemonic.TEST, destination, new Imm(immediate));
    }

    default Assembler shl(Operand destination, Operand source) {
        return emit(Mnemonic.SHL, destination, source);
    }

    default Assembler shl(Operand destination, long immediate) {
        return emit(Mnemonic.SHL, destination, new Imm(immediate));
    }

    default Assembler shr(Operand destination, Operand source) {
        return emit(Mnemonic.SHR, destination, source);
    }

    default Assembler shr(Operand destination, long immediate) {
        return emit(Mnemonic.SHR, destination, new Imm(immediate));
    }

    default Assembler sar(Operand destination, Operand source) {
        return emit(Mnemonic.SAR, destination, source);
    }

    default Assembler sar(Operand destination, long immediate) {
        return emit(Mnemonic.SAR, destination, new Imm(immediate));
    }

    default Assembler rol(Operand destination, Operand source) {
        return emit(Mnemonic.ROL, destination, source);
    }

    default Assembler rol(Operand destination, long immediate) {
        return emit(Mnemonic.ROL, destination, new Imm(immediate));
    }

    default Assembler ror(Operand destination, Operand source) {
        return emit(Mnemonic.ROR, destination, source);
    }

    default Assembler ror(Operand destination, long immediate) {
        return emit(Mnemonic.ROR, destination, new Imm(immediate));
    }

    default Assembler rcl(Operand destination, Operand source) {
        return emit(Mnemonic.RCL, destination, source);
    }

    default Assembler rcl(Operand destination, long immediate) {
        return emit(Mnemonic.RCL, destination, new Imm(immediate));
    }

    default Assembler rcr(Operand destination, Operand source) {
        return emit(Mnemonic.RCR, destination, source);
    }

    default Assembler rcr(Operand destination, long immediate) {
        return emit(Mnemonic.RCR, destination, new Imm(immediate));
    }

    default Assembler bt(Operand destination, Operand source) {
        return emit(Mnemonic.BT, destination, source);
    }

    default Assembler bt(Operand destination, long immediate) {
        return emit(Mnemonic.BT, destination, new Imm(immediate));
    }

    default Assembler bts(Operand destination, Operand source) {
        return emit(Mnemonic.BTS, destination, source);
    }

    default Assembler bts(Operand destination, long immediate) {
        return emit(Mnemonic.BTS, destination, new Imm(immediate));
    }

    default Assembler btr(Operand destination, Operand source) {
        return emit(Mnemonic.BTR, destination, source);
    }

    default Assembler btr(Operand destination, long immediate) {
        return emit(Mnemonic.BTR, destination, new Imm(immediate));
    }

    default Assembler btc(Operand destination, Operand source) {
        return emit(Mnemonic.BTC, destination, source);
    }

    default Assembler btc(Operand destination, long immediate) {
        return emit(Mnemonic.BTC, destination, new Imm(immediate));
    }

    default Assembler xchg(Operand destination, Operand source) {
        return emit(Mnemonic.XCHG, destination, source);
    }

    default Assembler lea(Operand destination, Operand source) {
        return emit(Mnemonic.LEA, destination, source);
    }

    default Assembler movzx(Operand destination, Operand source) {
        return emit(Mnemonic.MOVZX, destination, source);
    }

    default Assembler movsx(Operand destination, Operand source) {
        return emit(Mnemonic.MOVSX, destination, source);
    }

    default Assembler movsxd(Operand destination, Operand source) {
        return emit(Mnemonic.MOVSXD, destination, source);
    }

    default Assembler imul(Operand destination, Operand source) {
        return emit(Mnemonic.IMUL, destination, source);
    }

    default Assembler bsf(Operand destination, Operand source) {
        return emit(Mnemonic.BSF, destination, source);
    }

    default Assembler bsr(Operand destination, Operand source) {
        return emit(Mnemonic.BSR, destination, source);
    }

    default Assembler popcnt(Operand destination, Operand source) {
        return emit(Mnemonic.POPCNT, destination, source);
    }

    default Assembler lzcnt(Operand destination, Operand source) {
        return emit(Mnemonic.LZCNT, destination, source);
    }

    default Assembler tzcnt(Operand destination, Operand source) {
        return emit(Mnemonic.TZCNT, destination, source);
    }

    default Assembler xadd(Operand destination, Operand source) {
        return emit(Mnemonic.XADD, destination, source);
    }

    default Assembler cmpxchg(Operand destination, Operand source) {
        return emit(Mnemonic.CMPXCHG, destination, source);
    }

    default Assembler movbe(Operand destination, Operand source) {
        return emit(Mnemonic.MOVBE, destination, source);
    }

    default Assembler crc32(Operand destination, Operand source) {
        return emit(Mnemonic.CRC32, destination, source);
    }

    default Assembler imul(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.IMUL, destination, source, new Imm(immediate));
    }

    default Assembler shld(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.SHLD, destination, source, new Imm(immediate));
    }

    default Assembler shrd(Operand destination, Operand source, long immediate) {
        return emit(Mnemonic.SHRD, destination, source, new Imm(immediate));
    }

    default Assembler inc(Operand operand) {
        return emit(Mnemonic.INC, operand);
    }

    default Assembler dec(Operand operand) {
        return emit(Mnemonic.DEC, operand);
    }

    default Assembler neg(Operand operand) {
        return emit(Mnemonic.NEG, operand);
    }

    default Assembler not(Operand operand) {
        return emit(Mnemonic.NOT, operand);
    }

    default Assembler mul(Operand operand) {
        return emit(Mnemonic.MUL, operand);
    }

    default Assembler imul(Operand operand) {
        return emit(Mnemonic.IMUL, operand);
    }

    default Assembler div(Operand operand) {
        return emit(Mnemonic.DIV, operand);
    }

    default Assembler idiv(Operand operand) {
        return emit(Mnemonic.IDIV, operand);
    }

    default Assembler bswap(Operand operand) {
        return emit(Mnemonic.BSWAP, operand);
    }

    default Assembler pop(Operand operand) {
        return emit(Mnemonic.POP, operand);
    }

    default Assembler cmpxchg8b(Operand operand) {
        return emit(Mnemonic.CMPXCHG8B, operand);
    }

    default Assembler cmpxchg16b(Operand operand) {
        return emit(Mnemonic.CMPXCHG16B, operand);
    }

    default Assembler push(Operand operand) {
        return emit(Mnemonic.PUSH, operand);
    }

    default Assembler push(long immediate) {
        return emit(Mnemonic.PUSH, new Imm(immediate));
    }

    default Assembler cbw() {
        return emit(Mnemonic.CBW);
    }

    default Assembler cwde() {
        return emit(Mnemonic.CWDE);
    }

    default Assembler cdqe() {
        return emit(Mnemonic.CDQE);
    }

    default Assembler cwd() {
        return emit(Mnemonic.CWD);
    }

    default Assembler cdq() {
        return emit(Mnemonic.CDQ);
    }

    default Assembler cqo() {
        return emit(Mnemonic.CQO);
    }

    default Assembler nop() {
        return emit(Mnemonic.NOP);
    }

    default Assembler pause() {
        return emit(Mnemonic.PAUSE);
    }

    default Assembler cpuid() {
        return emit(Mnemonic.CPUID);
    }

    default Assembler leave() {
        return emit(Mnemonic.LEAVE);
    }

    default Assembler xlat() {
        return emit(Mnemonic.XLAT);
    }

    default Assembler lahf() {
        return emit(Mnemonic.LAHF);
    }

    default Assembler sahf() {
        return emit(Mnemonic.SAHF);
    }

    default Assembler clc() {
        return emit(Mnemonic.CLC);
    }

    default Assembler stc() {
        return emit(Mnemonic.STC);
    }

    default Assembler cmc() {
        return emit(Mnemonic.CMC);
    }

    default Assembler cld() {
        return emit(Mnemonic.CLD);
    }

    default Assembler std() {
        return emit(Mnemonic.STD);
    }

    default Assembler daa() {
        return emit(Mnemonic.DAA);
    }

    default Assembler das() {
        return emit(Mnemonic.DAS);
    }

    default Assembler aaa() {
        return emit(Mnemonic.AAA);
    }

    default Assembler aas() {
        return emit(Mnemonic.AAS);
    }

    default Assembler call(Operand operand) {
        return emit(Mnemonic.CALL, operand);
    }

    default Assembler jmp(Operand operand) {
        return emit(Mnemonic.JMP, operand);
    }

    default Assembler call(String label) {
        return emit(Mnemonic.CALL, new LabelRef(label));
    }

    default Assembler jmp(String label) {
        return emit(Mnemonic.JMP, new LabelRef(label));
    }

    default Assembler ret() {
        return emit(Mnemonic.RET);
    }

    default Assembler retf() {
        return emit(Mnemonic.RETF);
    }

    default Assembler ret(int bytes) {
        return emit(Mnemonic.RET, new Imm(bytes));
    }

    /// A short jump to a label that may follow.
    default Assembler jmpShort(String label) {
        return emit(Mnemonic.JMP, new LabelRef(label, false));
    }

    default Assembler jo(String label) {
        return emit(Mnemonic.JO, new LabelRef(label));
    }

    default Assembler jno(String label) {
        return emit(Mnemonic.JNO, new LabelRef(label));
    }

    default Assembler jb(String label) {
        return emit(Mnemonic.JB, new LabelRef(label));
    }

    default Assembler jc(String label) {
        return emit(Mnemonic.JB, new LabelRef(label));
    }

    default Assembler jae(String label) {
        return emit(Mnemonic.JAE, new LabelRef(label));
    }

    default Assembler jnc(String label) {
        return emit(Mnemonic.JAE, new LabelRef(label));
    }

    default Assembler je(String label) {
        return emit(Mnemonic.JE, new LabelRef(label));
    }

    default Assembler jz(String label) {
        return emit(Mnemonic.JE, new LabelRef(label));
    }

    default Assembler jne(String label) {
        return emit(Mnemonic.JNE, new LabelRef(label));
    }

    default Assembler jnz(String label) {
        return emit(Mnemonic.JNE, new LabelRef(label));
    }

    default Assembler jbe(String label) {
        return emit(Mnemonic.JBE, new LabelRef(label));
    }

    default Assembler ja(String label) {
        return emit(Mnemonic.JA, new LabelRef(label));
    }

    default Assembler js(String label) {
        return emit(Mnemonic.JS, new LabelRef(label));
    }

    default Assembler jns(String label) {
        return emit(Mnemonic.JNS, new LabelRef(label));
    }

    default Assembler jp(String label) {
        return emit(Mnemonic.JP, new LabelRef(label));
    }

    default Assembler jnp(String label) {
        return emit(Mnemonic.JNP, new LabelRef(label));
    }

    default Assembler jl(String label) {
        return emit(Mnemonic.JL, new LabelRef(label));
    }

    default Assembler jge(String label) {
        return emit(Mnemonic.JGE, new LabelRef(label));
    }

    default Assembler jle(String label) {
        return emit(Mnemonic.JLE, new LabelRef(label));
    }

    default Assembler jg(String label) {
        return emit(Mnemonic.JG, new LabelRef(label));
    }

    default Assembler loop(String label) {
        return emit(Mnemonic.LOOP, new LabelRef(label));
    }

    default Assembler loope(String label) {
        return emit(Mnemonic.LOOPE, new LabelRef(label));
    }

    default Assembler loopne(String label) {
        return emit(Mnemonic.LOOPNE, new LabelRef(label));
    }

    default Assembler jrcxz(String label) {
        return emit(Mnemonic.JRCXZ, new LabelRef(label));
    }

    default Assembler seto(Operand operand) {
        return emit(Mnemonic.SETO, operand);
    }

    default Assembler setno(Operand operand) {
        return emit(Mnemonic.SETNO, operand);
    }

    default Assembler setb(Operand operand) {
        return emit(Mnemonic.SETB, operand);
    }

    default Assembler setae(Operand operand) {
        return emit(Mnemonic.SETAE, operand);
    }

    default Assembler sete(Operand operand) {
        return emit(Mnemonic.SETE, operand);
    }

    default Assembler setne(Operand operand) {
        return emit(Mnemonic.SETNE, operand);
    }

    default Assembler setbe(Operand operand) {
        return emit(Mnemonic.SETBE, operand);
    }

    default Assembler seta(Operand operand) {
        return emit(Mnemonic.SETA, operand);
    }

    default Assembler sets(Operand operand) {
        return emit(Mnemonic.SETS, operand);
    }

    default Assembler setns(Operand operand) {
        return emit(Mnemonic.SETNS, operand);
    }

    default Assembler setp(Operand operand) {
        return emit(Mnemonic.SETP, operand);
    }

    default Assembler setnp(Operand operand) {
        return emit(Mnemonic.SETNP, operand);
    }

    default Assembler setl(Operand operand) {
        return emit(Mnemonic.SETL, operand);
    }

    default Assembler setge(Operand operand) {
        return emit(Mnemonic.SETGE, operand);
    }

    default Assembler setle(Operand operand) {
        return emit(Mnemonic.SETLE, operand);
    }

    default Assembler setg(Operand operand) {
        return emit(Mnemonic.SETG, operand);
    }

    default Assembler cmovo(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVO, destination, source);
    }

    default Assembler cmovno(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVNO, destination, source);
    }

    default Assembler cmovb(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVB, destination, source);
    }

    default Assembler cmovae(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVAE, destination, source);
    }

    default Assembler cmove(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVE, destination, source);
    }

    default Assembler cmovne(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVNE, destination, source);
    }

    default Assembler cmovbe(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVBE, destination, source);
    }

    default Assembler cmova(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVA, destination, source);
    }

    default Assembler cmovs(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVS, destination, source);
    }

    default Assembler cmovns(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVNS, destination, source);
    }

    default Assembler cmovp(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVP, destination, source);
    }

    default Assembler cmovnp(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVNP, destination, source);
    }

    default Assembler cmovl(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVL, destination, source);
    }

    default Assembler cmovge(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVGE, destination, source);
    }

    default Assembler cmovle(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVLE, destination, source);
    }

    default Assembler cmovg(Operand destination, Operand source) {
        return emit(Mnemonic.CMOVG, destination, source);
    }

    default Assembler movsb() {
        return emitSized(Mnemonic.MOVS, 1);
    }

    default Assembler movsw() {
        return emitSized(Mnemonic.MOVS, 2);
    }

    default Assembler movsd() {
        return emitSized(Mnemonic.MOVS, 4);
    }

    default Assembler movsq() {
        return emitSized(Mnemonic.MOVS, 8);
    }

    default Assembler stosb() {
        return emitSized(Mnemonic.STOS, 1);
    }

    default Assembler stosw() {
        return emitSized(Mnemonic.STOS, 2);
    }

    default Assembler stosd() {
        return emitSized(Mnemonic.STOS, 4);
    }

    default Assembler stosq() {
        return emitSized(Mnemonic.STOS, 8);
    }

    default Assembler lodsb() {
        return emitSized(Mnemonic.LODS, 1);
    }

    default Assembler lodsw() {
        return emitSized(Mnemonic.LODS, 2);
    }

    default Assembler lodsd() {
        return emitSized(Mnemonic.LODS, 4);
    }

    default Assembler lodsq() {
        return emitSized(Mnemonic.LODS, 8);
    }

    default Assembler cmpsb() {
        return emitSized(Mnemonic.CMPS, 1);
    }

    default Assembler cmpsw() {
        return emitSized(Mnemonic.CMPS, 2);
    }

    default Assembler cmpsd() {
        return emitSized(Mnemonic.CMPS, 4);
    }

    default Assembler cmpsq() {
        return emitSized(Mnemonic.CMPS, 8);
    }

    default Assembler scasb() {
        return emitSized(Mnemonic.SCAS, 1);
    }

    default Assembler scasw() {
        return emitSized(Mnemonic.SCAS, 2);
    }

    default Assembler scasd() {
        return emitSized(Mnemonic.SCAS, 4);
    }

    default Assembler scasq() {
        return emitSized(Mnemonic.SCAS, 8);
    }
}
