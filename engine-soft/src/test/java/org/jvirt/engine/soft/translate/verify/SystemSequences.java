package org.jvirt.engine.soft.translate.verify;

import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.RSP;

import java.util.SplittableRandom;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;
import org.jvirt.x86.Reg;

/// Short sequences of system instructions in 64-bit code that single random instructions would hardly ever make:
/// they mostly succeed, and sometimes fault in one of the ways they can.
final class SystemSequences {
    private static final int FS_BASE = 0xC000_0100;
    private static final int STATUS = 0x8D5;
    private static final int TF = 1 << 8;
    private static final int IF = 1 << 9;
    private static final int DF = 1 << 10;
    private static final int NT = 1 << 14;
    private static final int RF = 1 << 16;
    private static final int AC = 1 << 18;
    private static final int ID = 1 << 21;

    private final SplittableRandom random;
    private final CodeKind kind;
    private final Roles roles;

    SystemSequences(SplittableRandom random, CodeKind kind, Roles roles) {
        this.random = random;
        this.kind = kind;
        this.roles = roles;
    }

    /// One of them as an item.
    Item.Plain next(int id) {
        var asm = new Assembler(kind.codeSize);
        boolean user = kind.user();
        int which = random.nextInt(user ? 3 : 8);
        switch (which) {
            case 0 -> popFlags(asm);
            case 1 -> base(asm);
            case 2, 3 -> interruptReturn(asm);
            case 4 -> asm.swapgs();
            case 5 -> {
                asm.mov(ECX, FS_BASE + random.nextInt(random.nextInt(8) == 0 ? 4 : 3));
                asm.mov(EAX, random.nextInt());
                asm.mov(EDX, half());
                asm.wrmsr();
            }
            case 6 -> asm.stac();
            default -> asm.clac();
        }
        // POPF and IRET come with PUSHF
        int flags = which == 0 || which == 2 || which == 3 ? FlagMask.STATUS : 0;
        return new Item.Plain(id, asm.assemble(), flags, flags, 0, 0);
    }

    /// The upper half of an address, canonical or not.
    private int half() {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt(0x8000);
            case 2 -> -1 - random.nextInt(0x8000);
            default -> random.nextInt(8) == 0 ? random.nextInt() : -1;
        };
    }

    private Reg data() {
        return new Reg(OperandKind.GPR, Roles.any(random, roles.data()), 8);
    }

    /// Some flags to be changed.
    private int flags() {
        int flags = random.nextInt() & (STATUS | DF | ID);
        if (random.nextInt(4) == 0) {
            flags |= random.nextInt() & (IF | RF | (kind.user() ? 0 : AC));
        }
        if (random.nextInt(24) == 0) {
            flags |= random.nextInt() & (NT | TF | AC);
        }
        return flags;
    }

    private void pushFlags(Assembler asm) {
        asm.pushf().xor(mem(RSP).dword(), flags());
    }

    private void popFlags(Assembler asm) {
        pushFlags(asm);
        asm.popf();
    }

    private void base(Assembler asm) {
        Reg register = data();
        asm.mov(register, (long) half() << 32 | random.nextInt() & 0xFFFF_FFFFL);
        asm.emit(random.nextBoolean() ? Mnemonic.WRFSBASE : Mnemonic.WRGSBASE, register);
        asm.emit(random.nextBoolean() ? Mnemonic.RDFSBASE : Mnemonic.RDGSBASE, data());
    }

    /// To the next instruction, at the same level with the stack segment or with none; sometimes to where it
    /// faults.
    private void interruptReturn(Assembler asm) {
        Reg register = data();
        boolean strange = random.nextInt(10) == 0;
        int code = strange ? Layout.USER_CODE64 : kind.cs;
        int stack = strange ? Layout.USER_DATA : kind.user() || random.nextInt(3) != 0 ? kind.ss : random.nextInt(4);
        asm.mov(register, RSP).push(stack).push(register);
        pushFlags(asm);
        asm.push(code).emit(Mnemonic.LEA, register, mem("behind"));
        asm.push(register).iretq().label("behind");
    }
}
