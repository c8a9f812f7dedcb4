package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.BX;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DI;
import static org.jvirt.x86.Registers.DX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDI;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.ESP;
import static org.jvirt.x86.Registers.SI;

import org.junit.jupiter.api.Test;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mnemonic;

/// Virtual-8086 mode extensions and protected-mode virtual interrupts.
abstract class VirtualModeContract extends HypervisorContract {
    private static final long VME = 1;
    private static final long PVI = 2;
    private static final int IF = 1 << 9;
    private static final int IOPL = 3 << 12;
    private static final int VIF = 1 << 19;
    private static final int VIP = 1 << 20;
    private static final int NONE = 0x3000;

    private static Assembler code16() {
        return new Assembler(CodeSize.CODE16, 0);
    }

    /// Runs virtual-8086 code; ESI is the error code of a `#GP` and EDI its IP, or EDI stays as it was.
    private static void virtual(Guest guest, Assembler code, int flags, long cr4) {
        Legacy32.tables(guest);
        Legacy32.handle(
                guest,
                13,
                0,
                Legacy32.handler(13)
                        .pop(ESI)
                        .pop(EDI)
                        .mov(EDX, mem(ESP).disp(4))
                        .out(Guest.EXIT_PORT, AL));
        guest.load(0x5000, code);
        Legacy32.run(guest, Legacy32.toVirtual(flags), 0, cr4);
    }

    @Test
    void interruptsWhoseRedirectionBitIsClearStayInTheProgram() {
        try (var guest = guest()) {
            guest.memory.writeInt(0x21 * 4, 0x500 << 16 | 0x100);
            guest.load(
                    0x5100,
                    code16().pop(AX)
                            .pop(CX)
                            .pop(SI)
                            .push(SI)
                            .push(CX)
                            .push(AX)
                            .pushf()
                            .pop(DI)
                            .iret());
            virtual(
                    guest,
                    code16().sti()
                            .emit(Mnemonic.INT, new Imm(0x21))
                            .pushf()
                            .pop(BX)
                            .out(Guest.EXIT_PORT, AL),
                    0,
                    VME);
            assertThat(guest.registers().rax()).as("return IP").isEqualTo(3);
            assertThat(guest.registers().rcx()).as("return CS").isEqualTo(0x500);
            assertThat(guest.registers().rsi()).as("image shows VIF as IF").isEqualTo(IOPL | IF | 2);
            assertThat(guest.registers().rdi() & IF).as("VIF in the handler").isZero();
            assertThat(guest.registers().rbx() & IF).as("VIF after the return").isEqualTo(IF);
            assertThat(guest.registers().rsp()).isEqualTo(0x1000);
            assertThat(guest.registers().rflags() & (IF | VIF)).as("IF itself").isEqualTo(VIF);
        }
    }

    @Test
    void redirectionWithFullPrivilegeUsesIfItself() {
        try (var guest = guest()) {
            guest.memory.writeInt(0x21 * 4, 0x500 << 16 | 0x100);
            guest.load(0x5100, code16().pushf().pop(DI).iret());
            virtual(
                    guest,
                    code16().sti()
                            .emit(Mnemonic.INT, new Imm(0x21))
                            .pushf()
                            .pop(BX)
                            .out(Guest.EXIT_PORT, AL),
                    IOPL,
                    VME);
            assertThat(guest.registers().rdi() & IF).isZero();
            assertThat(guest.registers().rbx() & IF).isEqualTo(IF);
            assertThat(guest.registers().rflags() & (IF | VIF)).isEqualTo(IF);
        }
    }

    @Test
    void interruptsWhoseRedirectionBitIsSetGoToTheMonitor() {
        try (var guest = guest()) {
            guest.memory.writeByte(Legacy32.RUNNING + Legacy32.REDIRECTION + 4, 2);
            virtual(guest, code16().nop().emit(Mnemonic.INT, new Imm(0x21)), 0, VME);
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isEqualTo(1);
        }
        try (var guest = guest()) {
            guest.memory.writeByte(Legacy32.RUNNING + Legacy32.REDIRECTION + 4, 2);
            Legacy32.handle(guest, 0x21, 3, Legacy32.handler(0x21).pop(EDI).out(Guest.EXIT_PORT, AL));
            virtual(guest, code16().nop().emit(Mnemonic.INT, new Imm(0x21)), IOPL, VME);
            assertThat(guest.registers().rdi()).as("through the gate").isEqualTo(3);
        }
    }

    @Test
    void withoutTheExtensionsThePrivilegeLevelDecides() {
        for (Assembler code : new Assembler[] {
            code16().nop().cli(),
            code16().nop().sti(),
            code16().nop().pushf(),
            code16().nop().popf(),
            code16().nop().iret(),
            code16().nop().emit(Mnemonic.INT, new Imm(0x21))
        }) {
            try (var guest = guest()) {
                virtual(guest, code, 0, 0);
                assertThat(guest.registers().rsi()).isZero();
                assertThat(guest.registers().rdi()).isEqualTo(1);
            }
        }
    }

    @Test
    void aPendingVirtualInterruptTrapsWhoeverEnablesThem() {
        for (Assembler code : new Assembler[] {
            code16().mov(CX, IF | 2).push(CX).sti(),
            code16().mov(CX, IF | 2).push(CX).popf(),
            code16().mov(CX, IF | 2).push(CX).push(CX).push(CX).iret(),
        }) {
            try (var guest = guest()) {
                int last = code.size() - 1;
                virtual(guest, code, VIP, VME);
                assertThat(guest.registers().rsi()).isZero();
                assertThat(guest.registers().rdi()).isEqualTo(last);
                assertThat(guest.registers().rdx() & (VIF | VIP)).isEqualTo(VIP);
            }
        }
    }

    @Test
    void poppedFlagsReachTheVirtualFlagAndSparePrivilege() {
        try (var guest = guest()) {
            virtual(
                    guest,
                    code16().mov(CX, NONE | IF | 0x41)
                            .push(CX)
                            .popf()
                            .pushf()
                            .pop(BX)
                            .cli()
                            .pushf()
                            .pop(DX)
                            .out(Guest.EXIT_PORT, AL),
                    0,
                    VME);
            assertThat(guest.registers().rbx()).isEqualTo(IOPL | IF | 0x43);
            assertThat(guest.registers().rdx()).isEqualTo(IOPL | 0x43);
            assertThat(guest.registers().rflags() & (IOPL | IF | VIF)).isZero();
        }
    }

    @Test
    void theTrapFlagCannotBePoppedVirtually() {
        try (var guest = guest()) {
            virtual(guest, code16().mov(CX, 0x102).push(CX).popf(), 0, VME);
            assertThat(guest.registers().rdi()).isEqualTo(4);
        }
    }

    private static void user(Guest guest, Assembler code, int flags, long cr4) {
        Legacy32.tables(guest);
        Legacy32.handle(
                guest,
                13,
                0,
                Legacy32.handler(13)
                        .pop(ESI)
                        .pop(EDI)
                        .mov(EDX, mem(ESP).disp(4))
                        .out(Guest.EXIT_PORT, AL));
        guest.load(Guest.FREE, code);
        Legacy32.run(guest, Legacy32.toUser(flags), 0, cr4);
    }

    @Test
    void protectedModeVirtualInterruptsCountForCliAndSti() {
        try (var guest = guest()) {
            user(
                    guest,
                    Legacy32.code32(Guest.FREE)
                            .sti()
                            .pushf()
                            .pop(EBX)
                            .cli()
                            .pushf()
                            .pop(ECX)
                            .sti()
                            .out(Guest.EXIT_PORT, AL),
                    2,
                    PVI);
            assertThat(guest.registers().rbx() & (VIF | IF)).isEqualTo(VIF);
            assertThat(guest.registers().rcx() & (VIF | IF)).isZero();
            assertThat(guest.registers().rflags() & (VIF | IF)).isEqualTo(VIF);
        }
        try (var guest = guest()) {
            user(guest, Legacy32.code32(Guest.FREE).nop().sti(), VIP | 2, PVI);
            assertThat(guest.registers().rdi()).isEqualTo(Guest.FREE + 1);
        }
        try (var guest = guest()) {
            user(guest, Legacy32.code32(Guest.FREE).nop().cli(), 2, VME);
            assertThat(guest.registers().rdi()).isEqualTo(Guest.FREE + 1);
        }
    }
}
