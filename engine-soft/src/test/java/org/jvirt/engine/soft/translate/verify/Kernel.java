package org.jvirt.engine.soft.translate.verify;

import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;
import org.jvirt.x86.Reg;

/// The small kernel under a verified program: it enters the program once for each entry state, and whatever ends
/// the program (its own `INT 0x81`, any fault) is written to the log.
///
/// ```
/// next ── load entry state ── IRET ──→ program ── exception ──→ log ──┐
///   ^                                                                │
///   └────────────────────────────────────────────────────────────────┘   after the last: OUT 0xF4
/// ```
///
/// `SYSCALL`, `INT 0x80` and interrupts return at once.
final class Kernel {
    static final long ENTRY = Layout.KERNEL + Layout.KERNEL_GPA;

    /// The kernel's own words, at [Layout#WORDS_GPA].
    static final int ENTRIES_LEFT = 0;

    static final int NEXT_ENTRY = 8;
    static final int NEXT_RECORD = 16;

    static final long USUAL_CR0 = 0x8005_0033L;
    static final long USUAL_CR4 = 0x5_0620L;
    static final long USUAL_XCR0 = 7;

    private static final Reg[] GENERAL = {RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15};
    private static final long WITH_ERROR_CODE =
            1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21;

    private final Assembler asm = new Assembler(CodeSize.CODE64, ENTRY);

    Kernel() {
        enter();
        log();
        asm.label("syscall").sysretq();
        asm.label("return").iretq();
        interrupt();
        for (int vector = 0; vector < 256; vector++) {
            asm.label("vector" + vector);
            if ((WITH_ERROR_CODE >> vector & 1) == 0 || vector > 31) {
                asm.push(0);
            }
            asm.push(vector);
            asm.jmp("log");
        }
    }

    byte[] code() {
        return asm.assemble();
    }

    long gate(int vector) {
        return asm.address(
                switch (vector) {
                    case Layout.RETURN_VECTOR -> "return";
                    case Layout.INTERRUPT_VECTOR -> "interrupt";
                    default -> "vector" + vector;
                });
    }

    long systemCall() {
        return asm.address("syscall");
    }

    private static Mem word(int offset) {
        return mem(Layout.KERNEL + Layout.WORDS_GPA + offset).qword();
    }

    private static Mem field(Reg record, int offset) {
        return mem(record).disp(offset).qword();
    }

    private void enter() {
        asm.label("next");
        asm.sub(word(ENTRIES_LEFT), 1).js("end");
        asm.mov(RSI, word(NEXT_ENTRY));
        asm.mov(EAX, 7).xor(EDX, EDX);
        asm.xrstor(mem(RSI).disp(Slot.EXTENDED));
        asm.mov(RAX, field(RSI, Slot.FS_BASE)).wrfsbase(RAX);
        asm.mov(RAX, field(RSI, Slot.GS_BASE)).wrgsbase(RAX);
        for (int field : new int[] {Slot.SS, Slot.RSP, Slot.RFLAGS, Slot.CS, Slot.RIP}) {
            asm.push(field(RSI, field));
        }
        asm.cmp(field(RSI, Slot.SPECIAL), 0).je("usual");
        asm.mov(EAX, mem(RSI).disp(Slot.XCR0)).xor(ECX, ECX).xor(EDX, EDX).xsetbv();
        asm.mov(RAX, field(RSI, Slot.CR4)).mov(CR4, RAX);
        asm.mov(RAX, field(RSI, Slot.CR0)).mov(CR0, RAX);
        asm.label("usual");
        for (int i = 0; i < 16; i++) {
            if (i != RSP.number() && i != RSI.number()) {
                asm.mov(GENERAL[i], field(RSI, Slot.GENERAL + 8 * i));
            }
        }
        asm.mov(RSI, field(RSI, Slot.GENERAL + 8 * RSI.number()));
        asm.iretq();
        asm.label("end").out(Layout.EXIT_PORT, AL);
    }

    /// Changes some things and puts them back.
    private void interrupt() {
        asm.label("interrupt").push(RAX).push(RCX);
        asm.mov(EAX, 0x7FFF_FFFF).mov(ECX, EAX).add(EAX, ECX);
        asm.pop(RCX).pop(RAX).iretq();
    }

    private void log() {
        asm.label("log").push(RAX).push(RBX);
        asm.mov(RBX, word(NEXT_RECORD));
        for (int i = 0; i < 16; i++) {
            if (i != RSP.number() && i != RBX.number() && i != RAX.number()) {
                asm.mov(field(RBX, Slot.GENERAL + 8 * i), GENERAL[i]);
            }
        }
        asm.pop(field(RBX, Slot.GENERAL + 8 * RBX.number()));
        asm.pop(field(RBX, Slot.GENERAL));
        for (int field : new int[] {Slot.VECTOR, Slot.ERROR_CODE, Slot.RIP, Slot.CS, Slot.RFLAGS, Slot.RSP, Slot.SS}) {
            asm.pop(field(RBX, field));
        }
        asm.mov(RAX, CR2).mov(field(RBX, Slot.CR2), RAX);
        asm.xor(EAX, EAX).mov(CR2, RAX);
        asm.mov(RAX, CR0).mov(field(RBX, Slot.CR0), RAX);
        asm.mov(RAX, CR4).mov(field(RBX, Slot.CR4), RAX);
        Reg[] selectors = {DS, ES, FS, GS};
        for (int i = 0; i < 4; i++) {
            asm.mov(mem(RBX).disp(Slot.SELECTORS + 2 * i).word(), selectors[i]);
        }
        asm.cmp(mem(RBX).disp(Slot.CR0).dword(), (int) USUAL_CR0).jne("special");
        asm.cmp(mem(RBX).disp(Slot.CR4).dword(), USUAL_CR4).jne("special");
        asm.label("restored");
        asm.rdfsbase(RAX).mov(field(RBX, Slot.FS_BASE), RAX);
        asm.rdgsbase(RAX).mov(field(RBX, Slot.GS_BASE), RAX);
        asm.xor(ECX, ECX).xgetbv().mov(mem(RBX).disp(Slot.XCR0).dword(), EAX);
        asm.mov(EAX, USUAL_XCR0).xor(EDX, EDX).xsetbv();
        asm.xsave(mem(RBX).disp(Slot.EXTENDED));
        asm.add(RBX, Slot.BYTES).mov(word(NEXT_RECORD), RBX);
        asm.add(word(NEXT_ENTRY), Slot.BYTES);
        asm.mov(RSP, Layout.KERNEL_STACK);
        asm.jmp("next");
        asm.label("special");
        asm.mov(EAX, USUAL_CR0).mov(CR0, RAX);
        asm.mov(EAX, USUAL_CR4).mov(CR4, RAX);
        asm.jmp("restored");
    }
}
