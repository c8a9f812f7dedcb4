package org.jvirt.x86;

/// System, port and far-transfer instructions under their names.
public interface SystemVerbs {
    /// See [Assembler#emit].
    Assembler emit(Mnemonic mnemonic, Operand... operands);

    /// See [Assembler#emitSized].
    Assembler emitSized(Mnemonic mnemonic, int operandSize, Operand... operands);

    default Assembler hlt() {
        return emit(Mnemonic.HLT);
    }

    default Assembler cli() {
        return emit(Mnemonic.CLI);
    }

    default Assembler sti() {
        return emit(Mnemonic.STI);
    }

    default Assembler clts() {
        return emit(Mnemonic.CLTS);
    }

    default Assembler invd() {
        return emit(Mnemonic.INVD);
    }

    default Assembler wbinvd() {
        return emit(Mnemonic.WBINVD);
    }

    default Assembler rdmsr() {
        return emit(Mnemonic.RDMSR);
    }

    default Assembler wrmsr() {
        return emit(Mnemonic.WRMSR);
    }

    default Assembler rdtsc() {
        return emit(Mnemonic.RDTSC);
    }

    default Assembler rdtscp() {
        return emit(Mnemonic.RDTSCP);
    }

    default Assembler rdpmc() {
        return emit(Mnemonic.RDPMC);
    }

    default Assembler syscall() {
        return emit(Mnemonic.SYSCALL);
    }

    default Assembler sysenter() {
        return emit(Mnemonic.SYSENTER);
    }

    default Assembler swapgs() {
        return emit(Mnemonic.SWAPGS);
    }

    default Assembler xgetbv() {
        return emit(Mnemonic.XGETBV);
    }

    default Assembler xsetbv() {
        return emit(Mnemonic.XSETBV);
    }

    default Assembler int3() {
        return emit(Mnemonic.INT3);
    }

    default Assembler int1() {
        return emit(Mnemonic.INT1);
    }

    default Assembler into() {
        return emit(Mnemonic.INTO);
    }

    default Assembler ud2() {
        return emit(Mnemonic.UD2);
    }

    default Assembler vmcall() {
        return emit(Mnemonic.VMCALL);
    }

    default Assembler vmmcall() {
        return emit(Mnemonic.VMMCALL);
    }

    default Assembler clac() {
        return emit(Mnemonic.CLAC);
    }

    default Assembler stac() {
        return emit(Mnemonic.STAC);
    }

    default Assembler monitor() {
        return emit(Mnemonic.MONITOR);
    }

    default Assembler mwait() {
        return emit(Mnemonic.MWAIT);
    }

    default Assembler mfence() {
        return emit(Mnemonic.MFENCE);
    }

    default Assembler lfence() {
        return emit(Mnemonic.LFENCE);
    }

    default Assembler sfence() {
        return emit(Mnemonic.SFENCE);
    }

    default Assembler rsm() {
        return emit(Mnemonic.RSM);
    }

    default Assembler pushf() {
        return emit(Mnemonic.PUSHF);
    }

    default Assembler popf() {
        return emit(Mnemonic.POPF);
    }

    default Assembler pusha() {
        return emit(Mnemonic.PUSHA);
    }

    default Assembler popa() {
        return emit(Mnemonic.POPA);
    }

    default Assembler iret() {
        return emit(Mnemonic.IRET);
    }

    default Assembler iretd() {
        return emitSized(Mnemonic.IRET, 4);
    }

    default Assembler iretq() {
        return emitSized(Mnemonic.IRET, 8);
    }

    default Assembler sysretq() {
        return emitSized(Mnemonic.SYSRET, 8);
    }

    default Assembler sysretd() {
        return emitSized(Mnemonic.SYSRET, 4);
    }

    default Assembler sysexitq() {
        return emitSized(Mnemonic.SYSEXIT, 8);
    }

    default Assembler sysexitd() {
        return emitSized(Mnemonic.SYSEXIT, 4);
    }

    default Assembler retfq() {
        return emitSized(Mnemonic.RETF, 8);
    }

    default Assembler insb() {
        return emitSized(Mnemonic.INS, 1);
    }

    default Assembler insw() {
        return emitSized(Mnemonic.INS, 2);
    }

    default Assembler insd() {
        return emitSized(Mnemonic.INS, 4);
    }

    default Assembler outsb() {
        return emitSized(Mnemonic.OUTS, 1);
    }

    default Assembler outsw() {
        return emitSized(Mnemonic.OUTS, 2);
    }

    default Assembler outsd() {
        return emitSized(Mnemonic.OUTS, 4);
    }

    default Assembler lgdt(Operand operand) {
        return emit(Mnemonic.LGDT, operand);
    }

    default Assembler sgdt(Operand operand) {
        return emit(Mnemonic.SGDT, operand);
    }

    default Assembler lidt(Operand operand) {
        return emit(Mnemonic.LIDT, operand);
    }

    default Assembler sidt(Operand operand) {
        return emit(Mnemonic.SIDT, operand);
    }

    default Assembler lldt(Operand operand) {
        return emit(Mnemonic.LLDT, operand);
    }

    default Assembler sldt(Operand operand) {
        return emit(Mnemonic.SLDT, operand);
    }

    default Assembler ltr(Operand operand) {
        return emit(Mnemonic.LTR, operand);
    }

    default Assembler str(Operand operand) {
        return emit(Mnemonic.STR, operand);
    }

    default Assembler lmsw(Operand operand) {
        return emit(Mnemonic.LMSW, operand);
    }

    default Assembler smsw(Operand operand) {
        return emit(Mnemonic.SMSW, operand);
    }

    default Assembler verr(Operand operand) {
        return emit(Mnemonic.VERR, operand);
    }

    default Assembler verw(Operand operand) {
        return emit(Mnemonic.VERW, operand);
    }

    default Assembler invlpg(Operand operand) {
        return emit(Mnemonic.INVLPG, operand);
    }

    default Assembler clflush(Operand operand) {
        return emit(Mnemonic.CLFLUSH, operand);
    }

    default Assembler xsave(Operand operand) {
        return emit(Mnemonic.XSAVE, operand);
    }

    default Assembler xrstor(Operand operand) {
        return emit(Mnemonic.XRSTOR, operand);
    }

    default Assembler xsaveopt(Operand operand) {
        return emit(Mnemonic.XSAVEOPT, operand);
    }

    default Assembler xsavec(Operand operand) {
        return emit(Mnemonic.XSAVEC, operand);
    }

    default Assembler fxsave(Operand operand) {
        return emit(Mnemonic.FXSAVE, operand);
    }

    default Assembler fxrstor(Operand operand) {
        return emit(Mnemonic.FXRSTOR, operand);
    }

    default Assembler rdrand(Operand operand) {
        return emit(Mnemonic.RDRAND, operand);
    }

    default Assembler rdseed(Operand operand) {
        return emit(Mnemonic.RDSEED, operand);
    }

    default Assembler rdfsbase(Operand operand) {
        return emit(Mnemonic.RDFSBASE, operand);
    }

    default Assembler rdgsbase(Operand operand) {
        return emit(Mnemonic.RDGSBASE, operand);
    }

    default Assembler wrfsbase(Operand operand) {
        return emit(Mnemonic.WRFSBASE, operand);
    }

    default Assembler wrgsbase(Operand operand) {
        return emit(Mnemonic.WRGSBASE, operand);
    }

    default Assembler ldmxcsr(Operand operand) {
        return emit(Mnemonic.LDMXCSR, operand);
    }

    default Assembler stmxcsr(Operand operand) {
        return emit(Mnemonic.STMXCSR, operand);
    }

    default Assembler lar(Operand destination, Operand source) {
        return emit(Mnemonic.LAR, destination, source);
    }

    default Assembler lsl(Operand destination, Operand source) {
        return emit(Mnemonic.LSL, destination, source);
    }

    default Assembler invpcid(Operand destination, Operand source) {
        return emit(Mnemonic.INVPCID, destination, source);
    }

    default Assembler bound(Operand destination, Operand source) {
        return emit(Mnemonic.BOUND, destination, source);
    }

    default Assembler arpl(Operand destination, Operand source) {
        return emit(Mnemonic.ARPL, destination, source);
    }

    default Assembler lds(Operand destination, Operand source) {
        return emit(Mnemonic.LDS, destination, source);
    }

    default Assembler les(Operand destination, Operand source) {
        return emit(Mnemonic.LES, destination, source);
    }

    default Assembler lss(Operand destination, Operand source) {
        return emit(Mnemonic.LSS, destination, source);
    }

    default Assembler lfs(Operand destination, Operand source) {
        return emit(Mnemonic.LFS, destination, source);
    }

    default Assembler lgs(Operand destination, Operand source) {
        return emit(Mnemonic.LGS, destination, source);
    }

    /// INT with a vector.
    default Assembler int_(int vector) {
        return emit(Mnemonic.INT, new Imm(vector));
    }

    /// From a port in DX.
    default Assembler in(Operand accumulator, Operand port) {
        return emit(Mnemonic.IN, accumulator, port);
    }

    default Assembler in(Operand accumulator, int port) {
        return emit(Mnemonic.IN, accumulator, new Imm(port));
    }

    /// To a port in DX.
    default Assembler out(Operand port, Operand accumulator) {
        return emit(Mnemonic.OUT, port, accumulator);
    }

    default Assembler out(int port, Operand accumulator) {
        return emit(Mnemonic.OUT, new Imm(port), accumulator);
    }

    /// A direct far jump.
    default Assembler jmpFar(int selector, long offset) {
        return emit(Mnemonic.JMPF, new FarPointer(selector, offset));
    }

    default Assembler jmpFar(int selector, String label) {
        return emit(Mnemonic.JMPF, new FarPointer(selector, label));
    }

    /// A direct far jump with an operand size of its own: 4 from 16-bit code into a 32-bit segment.
    default Assembler jmpFar(int selector, String label, int operandSize) {
        return emitSized(Mnemonic.JMPF, operandSize, new FarPointer(selector, label));
    }

    /// An indirect far jump.
    default Assembler jmpFar(Mem pointer) {
        return emit(Mnemonic.JMPF, pointer);
    }

    /// A direct far call.
    default Assembler callFar(int selector, long offset) {
        return emit(Mnemonic.CALLF, new FarPointer(selector, offset));
    }

    default Assembler callFar(int selector, String label) {
        return emit(Mnemonic.CALLF, new FarPointer(selector, label));
    }

    /// An indirect far call.
    default Assembler callFar(Mem pointer) {
        return emit(Mnemonic.CALLF, pointer);
    }

    default Assembler enter(int bytes, int level) {
        return emit(Mnemonic.ENTER, new Imm(bytes), new Imm(level));
    }
}
