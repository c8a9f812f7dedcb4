package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.CR8;
import static org.jvirt.x86.Registers.DX;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDI;
import static org.jvirt.x86.Registers.RDX;
import static org.jvirt.x86.Registers.RSI;

import org.junit.jupiter.api.Test;
import org.jvirt.core.Capability;
import org.jvirt.core.RunResult;
import org.jvirt.testkit.contract.Guest.Access;

/// Ports, device registers, interrupts and halts.
abstract class DeviceContract extends HypervisorContract {
    @Test
    void portsAreWrittenInEveryWidth() {
        try (var guest = guest()) {
            guest.run64(code64().mov(EAX, 0x1122_3344)
                    .out(0x10, AL)
                    .out(0x20, AX)
                    .out(0x30, EAX)
                    .mov(DX, 0x1234)
                    .out(DX, AL)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.accesses)
                    .containsExactly(
                            new Access(true, 0x10, 1, 0x44),
                            new Access(true, 0x20, 2, 0x3344),
                            new Access(true, 0x30, 4, 0x1122_3344),
                            new Access(true, 0x1234, 1, 0x44));
        }
    }

    @Test
    void portReadsKeepTheUpperPartOfTheRegisterAsTheirWidthSays() {
        try (var guest = guest()) {
            guest.answer(-1L);
            guest.run64(code64().mov(RAX, 0x1111_2222_3333_4400L)
                    .in(AL, 0x10)
                    .mov(RBX, RAX)
                    .mov(RAX, 0x1111_2222_3333_0000L)
                    .in(AX, 0x10)
                    .mov(RSI, RAX)
                    .mov(RAX, 0x1111_2222_0000_0000L)
                    .in(EAX, 0x10)
                    .mov(RDI, RAX)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rbx()).isEqualTo(0x1111_2222_3333_44FFL);
            assertThat(guest.registers().rsi()).isEqualTo(0x1111_2222_3333_FFFFL);
            assertThat(guest.registers().rdi()).isEqualTo(0xFFFF_FFFFL);
        }
    }

    @Test
    void stringOutputSendsEveryElement() {
        try (var guest = guest()) {
            guest.memory.write(Guest.FREE, new byte[] {1, 2, 3, 4, 5, 6});
            guest.run64(code64().mov(RSI, Guest.FREE)
                    .mov(ECX, 3)
                    .mov(DX, 0x3F8)
                    .rep()
                    .outsw()
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.accesses)
                    .containsExactly(
                            new Access(true, 0x3F8, 2, 0x0201),
                            new Access(true, 0x3F8, 2, 0x0403),
                            new Access(true, 0x3F8, 2, 0x0605));
            assertThat(guest.registers().rsi()).isEqualTo(Guest.FREE + 6);
            assertThat(guest.registers().rcx()).isZero();
        }
    }

    @Test
    void stringInputFillsMemory() {
        try (var guest = guest()) {
            guest.answer(0xABCD_EF01L);
            guest.run64(code64().mov(RDI, Guest.FREE)
                    .mov(ECX, 2)
                    .mov(DX, 0x1F0)
                    .rep()
                    .insd()
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.memory.readLong(Guest.FREE)).isEqualTo(0xABCD_EF01_ABCD_EF01L);
            assertThat(guest.registers().rdi()).isEqualTo(Guest.FREE + 8);
        }
    }

    @Test
    void deviceRegistersAreReachedInEveryWidth() {
        try (var guest = guest()) {
            guest.answer(0x8877_6655_4433_2211L);
            guest.run64(code64().mov(RBX, Guest.DEVICE)
                    .mov(AL, mem(RBX).byteSize())
                    .mov(AX, mem(RBX).disp(2).word())
                    .mov(EAX, mem(RBX).disp(4).dword())
                    .mov(RCX, mem(RBX).disp(8).qword())
                    .mov(RAX, 0x0102_0304_0506_0708L)
                    .mov(mem(RBX).disp(16).byteSize(), AL)
                    .mov(mem(RBX).disp(18).word(), AX)
                    .mov(mem(RBX).disp(20).dword(), EAX)
                    .mov(mem(RBX).disp(24).qword(), RAX)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.accesses.stream().map(a -> a.address() - Guest.DEVICE))
                    .containsExactly(0L, 2L, 4L, 8L, 16L, 18L, 20L, 24L);
            assertThat(guest.accesses.stream().map(Access::size)).containsExactly(1, 2, 4, 8, 1, 2, 4, 8);
            assertThat(guest.accesses.subList(4, 8).stream().map(Access::value))
                    .containsExactly(0x08L, 0x0708L, 0x0506_0708L, 0x0102_0304_0506_0708L);
            assertThat(guest.registers().rcx()).isEqualTo(0x8877_6655_4433_2211L);
        }
    }

    @Test
    void writesToReadOnlyMemoryAreLost() {
        try (var guest = guest()) {
            guest.memory.load(Guest.ROM, new byte[] {1, 2, 3, 4});
            guest.run64(code64().mov(RBX, Guest.ROM)
                    .mov(mem(RBX).dword(), 0)
                    .mov(EAX, mem(RBX))
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rax()).isEqualTo(0x0403_0201L);
            assertThat(guest.accesses).isEmpty();
        }
    }

    @Test
    void anInterruptIsTakenAtTheNextInstructionThatAllowsIt() {
        try (var guest = guest()) {
            guest.load(Guest.FREE, code64(Guest.FREE).mov(RBX, 1).iretq());
            guest.gate(0x40, Guest.FREE, 0);
            guest.interrupts.raise(0, 0x40);
            guest.run64(code64().xor(EAX, EAX)
                    .mov(RCX, RBX)
                    .sti()
                    .mov(RSI, RBX)
                    .mov(RDI, RBX)
                    .cli()
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rcx()).as("before STI").isZero();
            assertThat(guest.registers().rsi()).as("in the shadow of STI").isZero();
            assertThat(guest.registers().rdi()).as("after it").isEqualTo(1);
        }
    }

    @Test
    void aHaltedProcessorWakesUpForAnInterrupt() {
        try (var guest = guest()) {
            guest.load(Guest.FREE, code64(Guest.FREE).inc(RBX).iretq());
            guest.gate(0x41, Guest.FREE, 0);
            guest.load(
                    Guest.CODE,
                    code64().label("next")
                            .cli()
                            .cmp(RBX, 20)
                            .jae("done")
                            .mov(EAX, EBX)
                            .out(0x10, EAX)
                            .sti()
                            .hlt()
                            .jmp("next")
                            .label("done")
                            .out(Guest.EXIT_PORT, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            var running = guest.start(0);
            for (int i = 0; i < 20; i++) {
                while (guest.accesses.size() <= i) {
                    Thread.onSpinWait();
                }
                guest.interrupts.raise(0, 0x41);
            }
            assertThat(Guest.await(running)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rbx()).isEqualTo(20);
        }
    }

    @Test
    void aKickReachesABusyAndAHaltedProcessor() {
        try (var guest = guest(2)) {
            guest.load(Guest.CODE, code64().label("busy").jmp("busy"));
            guest.load(Guest.FREE, code64(Guest.FREE).sti().label("again").hlt().jmp("again"));
            guest.vcpus.get(0).load(guest.long64(0, Guest.CODE));
            guest.vcpus.get(1).load(guest.long64(1, Guest.FREE));
            for (int i = 0; i < 50; i++) {
                var busy = guest.start(0);
                var halted = guest.start(1);
                guest.vcpus.forEach(vcpu -> vcpu.kick());
                assertThat(Guest.await(busy)).isEqualTo(RunResult.KICKED);
                assertThat(Guest.await(halted)).isEqualTo(RunResult.KICKED);
            }
        }
    }

    @Test
    void anNmiIsTakenOnceAndBlockedUntilIret() {
        try (var guest = guest()) {
            guest.load(
                    Guest.FREE,
                    code64(Guest.FREE)
                            .inc(RBX)
                            .mov(EAX, 7)
                            .out(0x77, AL)
                            .nop()
                            .nop()
                            .iretq());
            guest.gate(2, Guest.FREE, 0);
            guest.load(Guest.CODE, code64().label("wait").cmp(RBX, 2).jb("wait").out(Guest.EXIT_PORT, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.interrupts.nmi(0);
            var running = guest.start(0);
            while (guest.accesses.isEmpty()) {
                Thread.onSpinWait();
            }
            guest.interrupts.nmi(0);
            Guest.await(running);
            assertThat(guest.registers().rbx()).isEqualTo(2);
        }
    }

    @Test
    void taskPriorityHoldsInterruptsBack() {
        try (var guest = guest()) {
            guest.load(Guest.FREE, code64(Guest.FREE).inc(RBX).iretq());
            guest.gate(0x45, Guest.FREE, 0);
            guest.interrupts.raise(0, 0x45);
            guest.run64(code64().mov(EAX, 5)
                    .mov(CR8, RAX)
                    .sti()
                    .nop()
                    .nop()
                    .mov(RSI, RBX)
                    .xor(EAX, EAX)
                    .mov(CR8, RAX)
                    .nop()
                    .mov(RDI, RBX)
                    .cli()
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isEqualTo(1);
        }
    }

    @Test
    void theEndOfAnInterruptMayBeSignalledInMemory() {
        try (var guest = guest()) {
            guest.load(
                    Guest.FREE,
                    code64(Guest.FREE)
                            .btr(mem(Guest.FREE + 0x1000).dword(), 0)
                            .adc(RBX, 0)
                            .iretq());
            guest.gate(0x50, Guest.FREE, 0);
            guest.interrupts.raise(0, 0x50);
            guest.interrupts.raise(0, 0x50);
            guest.run64(code64().mov(ECX, 0x4B56_4D04)
                    .mov(EAX, Guest.FREE + 0x1001)
                    .xor(EDX, EDX)
                    .wrmsr()
                    .sti()
                    .nop()
                    .nop()
                    .nop()
                    .cli()
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rbx())
                    .as("offers found by the handler")
                    .isEqualTo(2);
            assertThat(guest.interrupts.local(0).ends()).as("ends passed on").isEqualTo(2);
        }
    }

    @Test
    void theClockPageGivesGuestTime() {
        try (var guest = guest()) {
            guest.clock.advance(5_000_000_000L);
            guest.vm.synchronizeClock();
            guest.run64(code64().mov(ECX, 0x4B56_4D01)
                    .mov(EAX, Guest.FREE + 1)
                    .xor(EDX, EDX)
                    .wrmsr()
                    .rdtsc()
                    .shl(RDX, 32)
                    .or(RAX, RDX)
                    .mov(RBX, RAX)
                    .out(Guest.EXIT_PORT, AL));
            long delta = guest.registers().rbx() - guest.memory.readLong(Guest.FREE + 8);
            int shift = (byte) guest.memory.readByte(Guest.FREE + 28);
            long scaled = shift >= 0 ? delta << shift : delta >>> -shift;
            long factor = guest.memory.readInt(Guest.FREE + 24) & 0xFFFF_FFFFL;
            long nanos = Math.multiplyHigh(scaled, factor) << 32 | scaled * factor >>> 32;
            assertThat(guest.memory.readInt(Guest.FREE) & 1)
                    .as("version is even")
                    .isZero();
            long time = nanos + guest.memory.readLong(Guest.FREE + 16);
            // an engine's own clock goes on from where it was set
            long most = engine().capabilities().contains(Capability.OWN_CLOCK) ? 15_000_000_000L : 5_000_000_100L;
            assertThat(time).isBetween(4_999_999_900L, most);
        }
    }
}
