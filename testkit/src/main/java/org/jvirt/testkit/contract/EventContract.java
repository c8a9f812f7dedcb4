package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.DR0;
import static org.jvirt.x86.Registers.DR6;
import static org.jvirt.x86.Registers.DR7;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.GS;
import static org.jvirt.x86.Registers.R8;
import static org.jvirt.x86.Registers.R9;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RDI;
import static org.jvirt.x86.Registers.RSI;
import static org.jvirt.x86.Registers.RSP;
import static org.jvirt.x86.Registers.SS;

import org.junit.jupiter.api.Test;
import org.jvirt.x86.Mnemonic;

/// Events that meet each other, and what they leave behind.
abstract class EventContract extends HypervisorContract {
    private static final long HANDLER = Guest.FREE + 0x8000;
    private static final int GS_BASE = 0xC000_0101;
    private static final int NMI = 2;

    @Test
    void aReturnToUserModeTakesTheSelectorOfAKernelSegmentButNotItsBase() {
        try (var guest = guest()) {
            long user = Guest.FREE;
            guest.load(user, code64(user).mov(EBX, mem(0x100).segment(GS)).int3());
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .mov(EAX, GS)
                            .mov(R8, RAX)
                            .out(Guest.EXIT_PORT, AL)
                            .hlt());
            guest.gate(3, HANDLER, 3);
            guest.memory.writeInt(Guest.FREE + 0x1100, 0x1234_5678);
            guest.run64(code64().mov(EAX, 0x10)
                    .mov(GS, AX)
                    .mov(ECX, GS_BASE)
                    .mov(EAX, Guest.FREE + 0x1000)
                    .xor(EDX, EDX)
                    .wrmsr()
                    .push(0x23)
                    .push(Guest.FREE + 0x7000)
                    .push(2)
                    .push(0x2B)
                    .push(user)
                    .iretq());
            assertThat(guest.registers().rbx()).isEqualTo(0x1234_5678);
            assertThat(guest.registers().r8()).as("selector").isZero();
        }
    }

    @Test
    void ofNmisThatArriveTogetherTwoAreTaken() {
        try (var guest = guest()) {
            guest.load(HANDLER, code64(HANDLER).inc(RDI).iretq());
            guest.gate(NMI, HANDLER, 0);
            guest.load(Guest.CODE, code64().nop().nop().out(Guest.EXIT_PORT, AL).hlt());
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            for (int i = 0; i < 3; i++) {
                guest.interrupts.nmi(0);
            }
            guest.run(0);
            assertThat(guest.registers().rdi()).isEqualTo(2);
        }
    }

    @Test
    void aDataBreakpointHeldBackByMovToSsIsPartOfTheInt1BehindIt() {
        try (var guest = guest()) {
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .inc(RDI)
                            .mov(RAX, DR6)
                            .mov(RSI, RAX)
                            .mov(R9, mem(RSP))
                            .iretq());
            guest.gate(1, HANDLER, 0);
            guest.memory.writeInt(Guest.FREE, 0x10);
            var code = code64();
            code.mov(RBX, Guest.FREE).mov(RAX, RBX).mov(DR0, RAX);
            // 4 bytes, read or write
            code.mov(EAX, 0xF_0002).mov(DR7, RAX);
            code.mov(SS, mem(RBX).word()).emit(Mnemonic.INT1);
            long after = code.here();
            guest.run64(code.nop().out(Guest.EXIT_PORT, AL).hlt());
            assertThat(guest.registers().rdi()).as("debug exceptions").isEqualTo(1);
            assertThat(guest.registers().rsi() & 15).isEqualTo(1);
            assertThat(guest.registers().r9()).isEqualTo(after);
        }
    }

    @Test
    void oneHypercallSendsAnInterruptToManyProcessors() {
        try (var guest = guest(3)) {
            guest.run64(code64().mov(EAX, 10)
                    .mov(EBX, 0b11)
                    .xor(ECX, ECX)
                    .mov(EDX, 1)
                    .mov(ESI, 0x41)
                    .emit(Mnemonic.VMCALL)
                    .out(Guest.EXIT_PORT, AL)
                    .hlt());
            assertThat(guest.registers().rax()).as("processors reached").isEqualTo(2);
            assertThat(guest.interrupts.local(0).pending()).isFalse();
            assertThat(guest.interrupts.local(1).acknowledge()).isEqualTo(0x41);
            assertThat(guest.interrupts.local(2).acknowledge()).isEqualTo(0x41);
        }
    }

    @Test
    void aHypercallForProcessorsThatDoNotExistReachesNobody() {
        try (var guest = guest()) {
            guest.run64(code64().mov(EAX, 10)
                    .mov(RBX, -1L)
                    .xor(ECX, ECX)
                    .mov(EDX, -1L)
                    .mov(ESI, 0x41)
                    .emit(Mnemonic.VMCALL)
                    .out(Guest.EXIT_PORT, AL)
                    .hlt());
            assertThat(guest.registers().rax()).isZero();
            assertThat(guest.interrupts.local(0).pending()).isFalse();
        }
    }
}
