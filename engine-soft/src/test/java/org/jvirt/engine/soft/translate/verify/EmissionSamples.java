package org.jvirt.engine.soft.translate.verify;

import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Mem.rip;
import static org.jvirt.x86.Registers.*;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mem;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.Operand;
import org.jvirt.x86.Reg;

/// Guest instructions and sequences whose host code is pinned: each operation with each kind of operand that is
/// emitted in a way of its own.
///
/// Guest RCX, RSP and R13 to R15 are not in the host registers of the same name; RBX and R9 are.
final class EmissionSamples {
    /// Guest code, whether it is one instruction (a block of it and a jump) or a block, and with which rights.
    record Sample(byte[] code, boolean single, int context) {}

    /// Where samples stand.
    static final long RIP = 0x40_1000;

    private static final Mem SIMPLE = mem(RBX).disp(8);
    private static final Mem INDEXED = mem(RBX).index(R9, 4).disp(0x40);
    private static final Mem MOVED = mem(RSP).index(RCX, 8).disp(0x10);
    private static final Mem SPILLED = mem(R14).index(R13);
    private static final Mem RELATIVE = rip(0x1000);
    private static final Mem SEGMENT = mem(RAX).segment(FS);
    private static final Mem SHORT = mem(EBX).disp(8);

    private static final Mnemonic[] ARITHMETIC = {
        Mnemonic.ADD, Mnemonic.ADC, Mnemonic.SUB, Mnemonic.AND, Mnemonic.XOR, Mnemonic.CMP
    };

    private final List<Sample> samples = new ArrayList<>();
    private int context = Tlb.USER;

    private EmissionSamples() {
        arithmetic();
        moves();
        shifts();
        multiplications();
        bits();
        conditions();
        stack();
        strings();
        vectors();
        x87();
        controlTransfers();
        sequences();
        context = Tlb.SUPERVISOR_SMAP;
        system();
    }

    static List<Sample> all() {
        return List.copyOf(new EmissionSamples().samples);
    }

    private void single(Mnemonic mnemonic, Operand... operands) {
        single(asm -> asm.emit(mnemonic, operands));
    }

    private void single(Consumer<Assembler> code) {
        add(code, true);
    }

    private void block(Consumer<Assembler> code) {
        add(code, false);
    }

    private void add(Consumer<Assembler> code, boolean single) {
        var asm = new Assembler(CodeSize.CODE64, RIP);
        code.accept(asm);
        samples.add(new Sample(asm.assemble(), single, context));
    }

    /// A kernel's entry and exit.
    private void system() {
        single(Assembler::swapgs);
        single(Assembler::rdtsc);
        single(Assembler::popf);
        single(Assembler::wrmsr);
        single(asm -> asm.mov(RAX, CR2));
        single(asm -> asm.rdgsbase(R13));
        single(asm -> asm.wrfsbase(RDI));
        block(Assembler::syscall);
        block(Assembler::sysretq);
        block(Assembler::iretq);
        block(asm -> asm.stac());
        block(asm -> asm.clac().ret());
        block(asm -> asm.swapgs().mov(mem(0x14).segment(GS).qword(), RSP).push(RCX));
    }

    private void arithmetic() {
        for (Mnemonic operation : ARITHMETIC) {
            single(operation, EAX, EBX);
            single(operation, RCX, RDX);
            single(operation, R14, R15);
            single(operation, BL, CL);
            single(operation, RAX, SIMPLE.qword());
            single(operation, SIMPLE.dword(), EAX);
            single(operation, MOVED.qword(), new Imm(5));
        }
        for (Mem memory : new Mem[] {SIMPLE, INDEXED, MOVED, SPILLED, RELATIVE, SEGMENT, SHORT}) {
            single(Mnemonic.ADD, EAX, memory.dword());
            single(Mnemonic.ADD, memory.qword(), R13);
        }
        single(Mnemonic.ADD, AH, BL);
        single(Mnemonic.ADD, AX, new Imm(0x1234));
        single(Mnemonic.SUB, RSP, new Imm(0x28));
        single(Mnemonic.CMP, SIMPLE.byteSize(), new Imm(0));
        single(Mnemonic.TEST, EAX, EAX);
        single(Mnemonic.TEST, SIMPLE.byteSize(), new Imm(1));
        for (Mnemonic operation : new Mnemonic[] {Mnemonic.INC, Mnemonic.DEC, Mnemonic.NEG, Mnemonic.NOT}) {
            single(operation, EAX);
            single(operation, R13);
            single(operation, SIMPLE.dword());
        }
        single(asm -> asm.lock().add(SIMPLE.dword(), EAX));
        single(asm -> asm.lock().cmpxchg(SIMPLE.qword(), RDX));
        single(asm -> asm.lock().cmpxchg16b(SIMPLE));
        single(asm -> asm.lock().xadd(SIMPLE.qword(), R13));
        single(asm -> asm.lock().inc(SIMPLE.dword()));
        single(asm -> asm.lock().bts(SIMPLE.dword(), 3));
        single(Mnemonic.XCHG, SIMPLE.dword(), ECX);
        single(Mnemonic.XCHG, RAX, RSP);
        single(Mnemonic.XADD, EAX, EBX);
        single(Mnemonic.CMPXCHG, EBX, R13D);
    }

    private void moves() {
        Reg[] registers = {RAX, RCX, RSP, R13};
        for (Reg to : registers) {
            for (Reg from : registers) {
                if (to != from) {
                    single(Mnemonic.MOV, to, from);
                }
            }
            single(Mnemonic.MOV, to, new Imm(0x1122_3344_5566_7788L));
            single(Mnemonic.MOV, to.sized(4), new Imm(7));
            single(Mnemonic.MOV, to, SIMPLE.qword());
            single(Mnemonic.MOV, SIMPLE.qword(), to);
            single(Mnemonic.MOV, to.sized(4), INDEXED.dword());
            single(Mnemonic.MOV, SIMPLE.word(), to.sized(2));
        }
        for (Mem memory : new Mem[] {SIMPLE, INDEXED, MOVED, SPILLED, RELATIVE, SEGMENT, SHORT}) {
            single(Mnemonic.MOV, RAX, memory.qword());
            single(Mnemonic.MOV, memory.byteSize(), AL);
            single(Mnemonic.LEA, RDX, memory);
        }
        single(Mnemonic.MOV, AL, SIMPLE.byteSize());
        single(Mnemonic.MOV, BH, CH);
        single(Mnemonic.MOV, SIMPLE.byteSize(), DH);
        single(Mnemonic.MOV, SIMPLE.dword(), new Imm(-1));
        single(Mnemonic.MOVZX, EAX, SIMPLE.byteSize());
        single(Mnemonic.MOVZX, ECX, BH);
        single(Mnemonic.MOVZX, R13D, SIMPLE.word());
        single(Mnemonic.MOVSX, RAX, SIMPLE.byteSize());
        single(Mnemonic.MOVSXD, RAX, ECX);
        single(Mnemonic.MOVBE, EAX, SIMPLE.dword());
        single(Mnemonic.BSWAP, RCX);
        single(Mnemonic.XLAT);
        single(Mnemonic.CDQE);
        single(Mnemonic.CQO);
        single(Mnemonic.LEA, ECX, mem(RAX).index(RAX, 2));
        single(Mnemonic.LEA, R13, mem(RSP).disp(0x20));
        single(Mnemonic.MOVNTI, SIMPLE.dword(), EAX);
    }

    private void shifts() {
        for (Mnemonic operation :
                new Mnemonic[] {Mnemonic.SHL, Mnemonic.SHR, Mnemonic.SAR, Mnemonic.ROL, Mnemonic.RCR}) {
            single(operation, EAX, new Imm(3));
            single(operation, RAX, CL);
            single(operation, RCX, CL);
            single(operation, R13D, new Imm(1));
            single(operation, SIMPLE.dword(), CL);
        }
        single(Mnemonic.SHLD, RAX, RDX, new Imm(4));
        single(Mnemonic.SHRD, RAX, RDX, CL);
        single(Mnemonic.SHLX, EAX, EBX, ECX);
        single(Mnemonic.SARX, RAX, SIMPLE.qword(), RDX);
        single(Mnemonic.RORX, EAX, EBX, new Imm(5));
    }

    private void multiplications() {
        single(Mnemonic.MUL, ECX);
        single(Mnemonic.MUL, SIMPLE.qword());
        single(Mnemonic.IMUL, EAX, EBX);
        single(Mnemonic.IMUL, RCX, SIMPLE.qword());
        single(Mnemonic.IMUL, EAX, EBX, new Imm(100));
        single(Mnemonic.MULX, RAX, RDX, RBX);
        for (Mnemonic operation : new Mnemonic[] {Mnemonic.DIV, Mnemonic.IDIV}) {
            single(operation, CL);
            single(operation, EBX);
            single(operation, RCX);
            single(operation, R13);
            single(operation, SIMPLE.dword());
        }
    }

    private void bits() {
        single(Mnemonic.BT, EAX, new Imm(5));
        single(Mnemonic.BT, EAX, ECX);
        single(Mnemonic.BT, SIMPLE.dword(), EAX);
        single(Mnemonic.BTS, SIMPLE.qword(), new Imm(5));
        single(Mnemonic.BTR, RCX, RDX);
        single(Mnemonic.BSF, EAX, ECX);
        single(Mnemonic.BSR, RAX, SIMPLE.qword());
        single(Mnemonic.LZCNT, EAX, EBX);
        single(Mnemonic.TZCNT, RCX, RDX);
        single(Mnemonic.POPCNT, EAX, SIMPLE.dword());
        single(Mnemonic.ANDN, EAX, EBX, ECX);
        single(Mnemonic.BLSR, EAX, EBX);
        single(Mnemonic.BEXTR, EAX, EBX, ECX);
        single(Mnemonic.PDEP, RAX, RBX, RCX);
        single(Mnemonic.ADCX, RAX, RCX);
        single(Mnemonic.CRC32, EAX, BL);
        single(Mnemonic.CRC32, RCX, SIMPLE.qword());
    }

    private void conditions() {
        single(Mnemonic.SETE, AL);
        single(Mnemonic.SETB, CL);
        single(Mnemonic.SETG, SIMPLE.byteSize());
        single(Mnemonic.SETNE, R13B);
        single(Mnemonic.CMOVE, EAX, ECX);
        single(Mnemonic.CMOVG, RCX, RSP);
        single(Mnemonic.CMOVB, EAX, SIMPLE.dword());
        single(Mnemonic.CMOVNE, R13D, R14D);
        single(Mnemonic.STC);
        single(Mnemonic.CMC);
        single(Mnemonic.CLD);
        single(Mnemonic.LAHF);
        single(Mnemonic.SAHF);
        single(Mnemonic.NOP);
        single(Mnemonic.PAUSE);
        single(Mnemonic.MFENCE);
        single(Mnemonic.PREFETCHT0, SIMPLE.byteSize());
    }

    private void stack() {
        for (Reg register : new Reg[] {RAX, RCX, RSP, R13}) {
            single(Mnemonic.PUSH, register);
            single(Mnemonic.POP, register);
        }
        single(Mnemonic.PUSH, new Imm(0x1234));
        single(Mnemonic.PUSH, SIMPLE.qword());
        single(Mnemonic.POP, SIMPLE.qword());
        single(Mnemonic.LEAVE);
        single(Mnemonic.PUSHF);
        single(Mnemonic.POPF);
        single(asm -> asm.enter(0x20, 0));
    }

    private void strings() {
        single(asm -> asm.movsb());
        single(asm -> asm.stosq());
        single(asm -> asm.lodsd());
        single(asm -> asm.cmpsb());
        single(asm -> asm.scasb());
        single(asm -> asm.rep().movsb());
        single(asm -> asm.rep().movsq());
        single(asm -> asm.rep().stosd());
        single(asm -> asm.rep().cmpsb());
        single(asm -> asm.repne().scasb());
    }

    private void x87() {
        single(Mnemonic.FLD, SIMPLE.qword());
        single(Mnemonic.FLD, SEGMENT.dword());
        single(Mnemonic.FSTP, MOVED.size(10));
        single(Mnemonic.FISTP, SIMPLE.dword());
        single(Mnemonic.FADD, RELATIVE.dword());
        single(asm -> asm.emit(Mnemonic.FMULP, ST1, ST0));
        single(Mnemonic.FCOMI, ST0, ST1);
        single(asm -> asm.emit(Mnemonic.FLDCW, SIMPLE));
        single(asm -> asm.emit(Mnemonic.FNSTSW, AX));
        single(asm -> asm.emit(Mnemonic.FNINIT));
        single(Mnemonic.PADDD, MM0, SIMPLE.qword());
        single(Mnemonic.MOVQ, SIMPLE.qword(), MM7);
        single(asm -> asm.emit(Mnemonic.EMMS));
        block(asm -> asm.emit(Mnemonic.FLD, SIMPLE.qword())
                .emit(Mnemonic.FADD, INDEXED.qword())
                .emit(Mnemonic.FSTP, SIMPLE.qword())
                .ret());
    }

    private void vectors() {
        single(Mnemonic.MOVAPS, XMM0, XMM9);
        single(Mnemonic.MOVAPS, XMM0, SIMPLE);
        single(Mnemonic.MOVAPS, SIMPLE, XMM0);
        single(Mnemonic.MOVUPS, XMM8, INDEXED);
        single(Mnemonic.MOVDQA, MOVED, XMM3);
        single(Mnemonic.MOVDQU, XMM1, RELATIVE);
        single(Mnemonic.MOVSD, XMM1, SIMPLE.qword());
        single(Mnemonic.MOVSS, SIMPLE.dword(), XMM1);
        single(Mnemonic.MOVD, XMM0, ECX);
        single(Mnemonic.MOVQ, R13, XMM0);
        single(Mnemonic.ADDPS, XMM0, XMM1);
        single(Mnemonic.ADDPD, XMM0, SIMPLE);
        single(Mnemonic.MULSD, XMM0, SIMPLE.qword());
        single(Mnemonic.DIVSS, XMM0, XMM1);
        single(Mnemonic.SQRTSD, XMM0, XMM1);
        single(Mnemonic.UCOMISD, XMM0, XMM1);
        single(Mnemonic.CVTSI2SD, XMM0, RCX);
        single(Mnemonic.CVTTSD2SI, ECX, XMM0);
        single(Mnemonic.PADDD, XMM0, SIMPLE);
        single(Mnemonic.PXOR, XMM5, XMM5);
        single(Mnemonic.PSHUFB, XMM0, XMM1);
        single(Mnemonic.PCMPEQB, XMM0, XMM1);
        single(Mnemonic.PMOVMSKB, ECX, XMM0);
        single(Mnemonic.PSHUFD, XMM0, XMM1, new Imm(0x1B));
        single(Mnemonic.PEXTRD, R13D, XMM0, new Imm(1));
        single(Mnemonic.PINSRQ, XMM0, RCX, new Imm(1));
        single(Mnemonic.PTEST, XMM0, XMM1);
        single(Mnemonic.PCMPISTRI, XMM0, SIMPLE, new Imm(0x18));
        single(Mnemonic.AESENC, XMM0, XMM1);
        single(Mnemonic.PCLMULQDQ, XMM0, XMM1, new Imm(0));
        single(Mnemonic.SHA256RNDS2, XMM1, XMM2, XMM0);
        single(Mnemonic.VMOVDQU, YMM0, SIMPLE.size(32));
        single(Mnemonic.VMOVAPS, SIMPLE.size(32), YMM9);
        single(Mnemonic.VPADDD, YMM0, YMM1, YMM2);
        single(Mnemonic.VADDPD, YMM0, YMM1, SIMPLE.size(32));
        single(Mnemonic.VFMADD231PD, YMM0, YMM1, YMM2);
        single(Mnemonic.VPBROADCASTB, YMM0, XMM1);
        single(Mnemonic.VPERMQ, YMM0, YMM1, new Imm(0x4E));
        single(Mnemonic.VZEROUPPER);
        single(Mnemonic.VPMOVMSKB, ECX, YMM0);
        single(Mnemonic.STMXCSR, SIMPLE.dword());
        single(Mnemonic.LDMXCSR, SIMPLE.dword());
        single(Mnemonic.RCPPS, XMM0, XMM1);
        single(Mnemonic.MASKMOVDQU, XMM0, XMM1);
        single(Mnemonic.PADDB, MM0, MM1);
        single(Mnemonic.FLD, SIMPLE.qword());
    }

    private void controlTransfers() {
        block(asm -> asm.jmp("there").org(RIP + 0x40).label("there"));
        block(asm -> asm.label("here").nop().jmp("here"));
        block(asm -> asm.je("there").org(RIP + 0x40).label("there"));
        block(asm -> asm.call("there").org(RIP + 0x40).label("there"));
        block(Assembler::ret);
        block(asm -> asm.ret(16));
        block(asm -> asm.jmp(RAX));
        block(asm -> asm.jmp(RCX));
        block(asm -> asm.jmp(INDEXED.qword()));
        block(asm -> asm.call(R13));
        block(asm -> asm.call(SIMPLE.qword()));
        block(asm -> asm.label("here").loop("here"));
        block(asm -> asm.label("here").jrcxz("here"));
        block(Assembler::syscall);
        block(asm -> asm.int_(0x80));
        block(Assembler::hlt);
        block(Assembler::cpuid);
        block(Assembler::rdtsc);
    }

    private void sequences() {
        block(asm -> asm.cmp(RAX, RBX).je("there").org(RIP + 0x40).label("there"));
        block(asm -> asm.add(EAX, EBX).mov(ECX, SIMPLE.dword()).adc(EDX, ECX).ret());
        block(asm -> asm.cmp(EAX, 5)
                .mov(EDX, SIMPLE.dword())
                .setle(AL)
                .cmovg(EDX, EAX)
                .ret());
        block(asm -> asm.push(RBP)
                .mov(RBP, RSP)
                .sub(RSP, 0x20)
                .mov(mem(RBP).disp(-8).qword(), RDI)
                .ret());
        block(asm -> asm.pop(RBX).pop(RBP).pop(R12).pop(R13).pop(R14).pop(R15).ret());
        block(asm ->
                asm.push(R15).push(R14).push(R13).push(R12).push(RBP).push(RBX).call(RAX));
        block(asm -> asm.label("here")
                .movzx(EAX, mem(RSI).index(RCX).byteSize())
                .add(RDX, RAX)
                .inc(RCX)
                .cmp(RCX, RDI)
                .jne("here"));
        block(asm -> asm.label("here")
                .mov(RAX, mem(RSI).qword())
                .mov(mem(RDI).qword(), RAX)
                .add(RSI, 8)
                .add(RDI, 8)
                .dec(RCX)
                .jnz("here"));
        block(asm -> asm.label("here")
                .emit(Mnemonic.MOVSD, XMM0, mem(RSI).index(RAX, 8).qword())
                .emit(Mnemonic.MULSD, XMM0, mem(RDI).index(RAX, 8).qword())
                .emit(Mnemonic.ADDSD, XMM1, XMM0)
                .inc(RAX)
                .cmp(RAX, RDX)
                .jl("here"));
        block(asm -> asm.label("here")
                .emit(Mnemonic.MOVDQU, XMM0, mem(RSI))
                .emit(Mnemonic.MOVDQA, mem(RDI), XMM0)
                .add(RSI, 16)
                .add(RDI, 16)
                .sub(RCX, 16)
                .ja("here"));
        block(asm -> asm.label("here")
                .mov(RCX, RAX)
                .and(ECX, 0xFF)
                .shr(RAX, 8)
                .xor(EAX, mem(RBX).index(RCX, 4).dword())
                .jmp("here"));
        block(asm -> asm.mov(RAX, mem(RDI).disp(8).qword())
                .test(RAX, RAX)
                .jz("there")
                .org(RIP + 0x80)
                .label("there"));
        block(asm -> asm.mov(EAX, mem(RDI).dword())
                .mov(EDX, mem(RDI).disp(4).dword())
                .add(EAX, EDX)
                .ret());
        block(asm -> asm.xor(EDX, EDX).div(RCX).mov(RAX, RDX).ret());
        block(asm -> asm.cqo().idiv(R8).ret());
        block(asm -> asm.test(EDI, EDI)
                .shl(EAX, CL)
                .mov(SIMPLE.dword(), EAX)
                .jnz("there")
                .org(RIP + 0x80)
                .label("there"));
        block(asm -> asm.mov(RAX, mem(0).disp(0x28).segment(FS).qword())
                .mov(mem(RSP).disp(0x18).qword(), RAX)
                .ret());
        block(asm ->
                asm.xor(EAX, EAX).lock().cmpxchg(mem(RDI).dword(), ESI).sete(AL).ret());
        block(asm -> asm.mov(ECX, 16).rep().movsq().ret());
        block(asm -> asm.sub(RSP, 8).call("there").org(RIP + 0x80).label("there"));
        block(asm -> asm.clc()
                .label("here")
                .adc(RAX, mem(RSI).qword())
                .lea(RSI, mem(RSI).disp(8))
                .dec(ECX)
                .jnz("here"));
    }
}
