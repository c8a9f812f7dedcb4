package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.CR2;
import static org.jvirt.x86.Registers.CR3;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.R8;
import static org.jvirt.x86.Registers.R9;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDI;
import static org.jvirt.x86.Registers.RDX;
import static org.jvirt.x86.Registers.RSI;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.jvirt.core.RunResult;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.x86.Assembler;

/// Paging and its faults, the dirty log, code that changes, and memory shared between processors.
abstract class MemoryContract extends HypervisorContract {
    private static final long HANDLER = Guest.FREE + 0x8000;
    private static final long PAGE = Guest.FREE + 0x10_000;
    private static final long PRESENT = 1;
    private static final long WRITABLE = 2;
    private static final long USER = 4;
    private static final long NO_EXECUTE = 1L << 63;

    /// A handler that keeps the error code in R8 and CR2 in R9, and stops.
    private static void stopOnPageFault(Guest guest) {
        guest.load(
                HANDLER,
                code64(HANDLER).pop(R8).mov(R9, CR2).out(Guest.EXIT_PORT, AL).hlt());
        guest.gate(14, HANDLER, 0);
    }

    private static void map(Guest guest, long la, long entry) {
        guest.memory.writeLong(Guest.pageEntry(la), entry);
    }

    private static void assertPageFault(Guest guest, int errorCode, long address) {
        assertThat(guest.registers().r8()).as("error code").isEqualTo(errorCode);
        assertThat(guest.registers().r9()).as("CR2").isEqualTo(address);
    }

    @Test
    void readingAnAbsentPageFaults() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            map(guest, PAGE, 0);
            guest.run64(code64().mov(RBX, PAGE + 0x123).mov(EAX, mem(RBX)).hlt());
            assertPageFault(guest, 0, PAGE + 0x123);
        }
    }

    @Test
    void writingAReadOnlyPageFaultsUnderWriteProtection() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            map(guest, PAGE, PAGE | PRESENT);
            guest.run64(code64().mov(RBX, PAGE)
                    .mov(EAX, mem(RBX))
                    .mov(mem(RBX), EAX)
                    .hlt());
            assertPageFault(guest, 3, PAGE);
        }
    }

    @Test
    void supervisorsMayWriteReadOnlyPagesWithoutWriteProtection() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            map(guest, PAGE, PAGE | PRESENT);
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE).mov(mem(RBX).dword(), 77).out(Guest.EXIT_PORT, AL));
            CpuState state = guest.long64(0, Guest.CODE);
            guest.vcpus
                    .getFirst()
                    .load(state.with(withCr0(state, state.control().cr0() & ~(1L << 16))));
            guest.run(0);
            assertThat(guest.memory.readInt(PAGE)).isEqualTo(77);
        }
    }

    private static ControlRegisters withCr0(CpuState state, long cr0) {
        var c = state.control();
        return new ControlRegisters(cr0, c.cr2(), c.cr3(), c.cr4(), c.cr8(), c.efer(), c.xcr0());
    }

    private static ControlRegisters withCr4(CpuState state, long cr4) {
        var c = state.control();
        return new ControlRegisters(c.cr0(), c.cr2(), c.cr3(), cr4, c.cr8(), c.efer(), c.xcr0());
    }

    @Test
    void executingANoExecutePageFaults() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            map(guest, PAGE, PAGE | PRESENT | NO_EXECUTE);
            guest.run64(code64().mov(RBX, PAGE + 5).jmp(RBX));
            assertPageFault(guest, 0x11, PAGE + 5);
        }
    }

    @Test
    void reservedBitsFault() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            map(guest, PAGE, PAGE | PRESENT | 1L << 50);
            guest.run64(code64().mov(RBX, PAGE).mov(EAX, mem(RBX)).hlt());
            assertPageFault(guest, 9, PAGE);
        }
    }

    @Test
    void smapKeepsSupervisorsFromUserDataUnlessAcIsSet() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            // everything but the page under test belongs to the supervisor
            for (long la = 0; la < 0x20_0000; la += 0x1000) {
                map(guest, la, la | PRESENT | WRITABLE | (la == PAGE ? USER : 0));
            }
            guest.memory.writeInt(PAGE, 99);
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE)
                            .stac()
                            .mov(ECX, mem(RBX))
                            .clac()
                            .mov(EAX, mem(RBX))
                            .hlt());
            CpuState state = guest.long64(0, Guest.CODE);
            guest.vcpus
                    .getFirst()
                    .load(state.with(withCr4(state, state.control().cr4() | 1 << 21)));
            guest.run(0);
            assertThat(guest.registers().rcx()).isEqualTo(99);
            assertPageFault(guest, 1, PAGE);
        }
    }

    @Test
    void smepKeepsSupervisorsFromUserCode() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            for (long la = 0; la < 0x20_0000; la += 0x1000) {
                map(guest, la, la | PRESENT | WRITABLE | (la == PAGE ? USER : 0));
            }
            guest.load(Guest.CODE, code64().mov(RBX, PAGE).jmp(RBX));
            CpuState state = guest.long64(0, Guest.CODE);
            guest.vcpus
                    .getFirst()
                    .load(state.with(withCr4(state, state.control().cr4() | 1 << 20)));
            guest.run(0);
            assertPageFault(guest, 0x11, PAGE);
        }
    }

    @Test
    void accessedAndDirtyBitsAreSet() {
        try (var guest = guest()) {
            map(guest, PAGE, PAGE | PRESENT | WRITABLE);
            map(guest, PAGE + 0x1000, PAGE + 0x1000 | PRESENT | WRITABLE);
            guest.run64(code64().mov(RBX, PAGE)
                    .mov(EAX, mem(RBX))
                    .mov(mem(RBX).disp(0x1000), EAX)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.memory.readLong(Guest.pageEntry(PAGE)) & 0x60).isEqualTo(0x20);
            assertThat(guest.memory.readLong(Guest.pageEntry(PAGE + 0x1000)) & 0x60)
                    .isEqualTo(0x60);
        }
    }

    @Test
    void accessesAcrossPagesReachBothOrNeither() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            // neighbours in linear memory, far apart in physical memory
            map(guest, PAGE + 0x1000, PAGE + 0x5000 | PRESENT | WRITABLE);
            map(guest, PAGE + 0x3000, 0);
            guest.run64(code64().mov(RBX, PAGE + 0xFFD)
                    .mov(RAX, 0x8877_6655_4433_2211L)
                    .mov(mem(RBX), RAX)
                    .mov(RCX, mem(RBX))
                    .mov(RBX, PAGE + 0x2FFE)
                    .mov(mem(RBX), RAX)
                    .hlt());
            assertThat(guest.memory.readInt(PAGE + 0xFFC) >>> 8).isEqualTo(0x33_2211);
            assertThat(guest.memory.readLong(PAGE + 0x5000) & 0xFF_FFFF_FFFFL).isEqualTo(0x88_7766_5544L);
            assertThat(guest.registers().rcx()).isEqualTo(0x8877_6655_4433_2211L);
            assertPageFault(guest, 2, PAGE + 0x3000);
            assertThat(guest.memory.readShort(PAGE + 0x2FFE)).isZero();
        }
    }

    @Test
    void aChangedPageTableEntryCountsAfterInvlpg() {
        try (var guest = guest()) {
            guest.memory.writeInt(PAGE, 1);
            guest.memory.writeInt(PAGE + 0x1000, 2);
            guest.run64(code64().mov(RBX, PAGE)
                    .mov(ECX, mem(RBX))
                    .mov(RAX, PAGE + 0x1000 | 7)
                    .mov(RDX, Guest.pageEntry(PAGE))
                    .mov(mem(RDX), RAX)
                    .invlpg(mem(RBX).byteSize())
                    .mov(EBX, mem(RBX))
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rcx()).isEqualTo(1);
            assertThat(guest.registers().rbx()).isEqualTo(2);
        }
    }

    @Test
    void aReloadOfCr3FlushesTranslationsOfCode() {
        try (var guest = guest()) {
            guest.load(PAGE, code64(PAGE).mov(ECX, 1).ret());
            guest.load(PAGE + 0x1000, code64(PAGE).mov(ECX, 2).ret());
            guest.run64(code64().mov(RBX, PAGE)
                    .call(RBX)
                    .mov(RSI, RCX)
                    .mov(RAX, PAGE + 0x1000 | 7)
                    .mov(RDX, Guest.pageEntry(PAGE))
                    .mov(mem(RDX), RAX)
                    .mov(RAX, CR3)
                    .mov(CR3, RAX)
                    .call(RBX)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isEqualTo(1);
            assertThat(guest.registers().rcx()).isEqualTo(2);
        }
    }

    @Test
    void anInstructionAcrossPagesIsFetchedFromBoth() {
        try (var guest = guest()) {
            stopOnPageFault(guest);
            Assembler code =
                    code64(PAGE + 0xFFD).mov(RAX, 0x1234_5678_9ABC_DEF0L).ret();
            guest.load(PAGE + 0xFFD, code);
            guest.run64(code64().mov(RBX, PAGE + 0xFFD).call(RBX).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rax()).isEqualTo(0x1234_5678_9ABC_DEF0L);
            map(guest, PAGE + 0x1000, 0);
            guest.run64(code64().mov(RBX, PAGE + 0xFFD).call(RBX).out(Guest.EXIT_PORT, AL));
            assertPageFault(guest, 0x10, PAGE + 0x1000);
        }
    }

    @Test
    void theDirtyLogHasExactlyTheWrittenPages() {
        try (var guest = guest()) {
            Assembler code = code64().mov(RBX, PAGE)
                    .mov(mem(RBX).dword(), 1)
                    .mov(mem(RBX).disp(0x3000).dword(), 1);
            guest.run64(code.out(Guest.EXIT_PORT, AL));
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).count())
                    .as("first call")
                    .isEqualTo(2048);
            guest.memory.writeInt(0x40_0000, 1);
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.run(0);
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).pages().stream())
                    .contains((int) (PAGE >> 12), (int) (PAGE + 0x3000 >> 12), 0x400)
                    .hasSizeBetween(3, 6);
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.run(0);
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).pages().stream())
                    .contains((int) (PAGE >> 12), (int) (PAGE + 0x3000 >> 12))
                    .doesNotContain(0x400);
        }
    }

    @Test
    void aRunningProcessorIsSeenByTheDirtyLog() {
        try (var guest = guest()) {
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE).label("more").inc(mem(RBX).qword()).jmp("more"));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            var running = guest.start(0);
            guest.vm.takeDirtyPages(Guest.RAM_SLOT);
            for (int i = 0; i < 20; i++) {
                long before = guest.memory.readLong(PAGE);
                while (guest.memory.readLong(PAGE) == before) {
                    Thread.onSpinWait();
                }
                // a store is logged after it has become visible: the page may be one call late, but never lost
                boolean logged = guest.vm.takeDirtyPages(Guest.RAM_SLOT).pages().get((int) (PAGE >> 12));
                long seen = guest.memory.readLong(PAGE);
                while (!logged && guest.memory.readLong(PAGE) < seen + 2) {
                    Thread.onSpinWait();
                }
                assertThat(logged
                                || guest.vm
                                        .takeDirtyPages(Guest.RAM_SLOT)
                                        .pages()
                                        .get((int) (PAGE >> 12)))
                        .isTrue();
            }
            guest.vcpus.getFirst().kick();
            Guest.await(running);
        }
    }

    @Test
    void aStoreToTheNextBlockChangesIt() {
        try (var guest = guest()) {
            guest.run64(selfPatching());
            assertThat(guest.registers().rcx()).isEqualTo(7);
        }
    }

    /// `mov dword [target + 1], 7; target: mov ecx, 1`.
    private static Assembler selfPatching() {
        Assembler code = code64();
        code.mov(RDI, Guest.CODE + 0x40).mov(mem(RDI).disp(1).dword(), 7).jmp("target");
        while (code.size() < 0x40) {
            code.nop();
        }
        return code.label("target").mov(ECX, 1).out(Guest.EXIT_PORT, AL);
    }

    @Test
    void aStoreWithinTheRunningBlockCountsAtOnce() {
        try (var guest = guest()) {
            Assembler code = code64();
            code.mov(RDI, Guest.CODE + 0x20).mov(mem(RDI).disp(1).dword(), 7);
            while (code.size() < 0x20) {
                code.nop();
            }
            guest.run64(code.mov(ECX, 1).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rcx()).isEqualTo(7);
        }
    }

    @Test
    void codeOnAnotherPageMayBeRewrittenAgainAndAgain() {
        try (var guest = guest()) {
            guest.load(PAGE, code64(PAGE).mov(EAX, 0).ret());
            guest.run64(code64().mov(RBX, PAGE)
                    .mov(ECX, 1000)
                    .xor(RSI, RSI)
                    .label("next")
                    .mov(mem(RBX).disp(1).dword(), ECX)
                    .call(RBX)
                    .add(RSI, RAX)
                    .dec(ECX)
                    .jnz("next")
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isEqualTo(500_500);
        }
    }

    @Test
    void dataBesideCodeMayBeWrittenManyTimes() {
        try (var guest = guest()) {
            guest.run64(code64().mov(RBX, Guest.CODE + 0x800)
                    .mov(ECX, 100_000)
                    .label("next")
                    .inc(mem(RBX).qword())
                    .dec(ECX)
                    .jnz("next")
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.memory.readLong(Guest.CODE + 0x800)).isEqualTo(100_000);
        }
    }

    @Test
    void codeWrittenByADeviceIsExecuted() {
        try (var guest = guest()) {
            guest.load(PAGE, code64(PAGE).mov(EAX, 1).ret());
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE)
                            .label("again")
                            .call(RBX)
                            .cmp(EAX, 1)
                            .je("again")
                            .out(0xF4, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            var running = guest.start(0);
            while (guest.vcpus.getFirst().instructions() == 0 && !running.isDone()) {
                Thread.onSpinWait();
            }
            guest.memory.write(PAGE, code64(PAGE).mov(EAX, 2).ret().assemble());
            assertThat(Guest.await(running)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rax()).isEqualTo(2);
        }
    }

    @Test
    void codeWrittenByAnotherProcessorIsExecuted() {
        try (var guest = guest(2)) {
            guest.load(PAGE, code64(PAGE).mov(EAX, 1).ret());
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE)
                            .label("again")
                            .call(RBX)
                            .cmp(EAX, 1)
                            .je("again")
                            .out(0xF4, AL));
            guest.load(
                    Guest.FREE,
                    code64(Guest.FREE)
                            .mov(RBX, PAGE)
                            .mov(mem(RBX).disp(1).dword(), 3)
                            .out(0xF4, AL));
            guest.vcpus.get(0).load(guest.long64(0, Guest.CODE));
            guest.vcpus.get(1).load(guest.long64(1, Guest.FREE));
            var victim = guest.start(0);
            Guest.await(guest.start(1));
            assertThat(Guest.await(victim)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rax()).isEqualTo(3);
        }
    }

    @Test
    void lockedCountersLoseNothingBetweenProcessors() {
        int rounds = 50_000;
        try (var guest = guest(2)) {
            guest.load(
                    Guest.CODE,
                    code64().mov(RBX, PAGE)
                            .mov(ECX, rounds)
                            .label("next")
                            .lock()
                            .inc(mem(RBX).qword())
                            .lock()
                            .add(mem(RBX).disp(8).dword(), 3)
                            .mov(EAX, 1)
                            .lock()
                            .xadd(mem(RBX).disp(18).word(), AX)
                            .lock()
                            .inc(mem(RBX).disp(21).byteSize())
                            // across two words of the host
                            .lock()
                            .add(mem(RBX).disp(0x3C).qword(), 1)
                            .label("retry")
                            .mov(RAX, mem(RBX).disp(0x80))
                            .lea(RDX, mem(RAX).disp(1))
                            .lock()
                            .cmpxchg(mem(RBX).disp(0x80), RDX)
                            .jne("retry")
                            .dec(ECX)
                            .jnz("next")
                            .out(Guest.EXIT_PORT, AL));
            List<CompletableFuture<RunResult>> running = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                guest.vcpus.get(i).load(guest.long64(i, Guest.CODE));
            }
            for (int i = 0; i < 2; i++) {
                running.add(guest.start(i));
            }
            running.forEach(Guest::await);
            long total = 2L * rounds;
            assertThat(guest.memory.readLong(PAGE)).isEqualTo(total);
            assertThat(guest.memory.readInt(PAGE + 8)).isEqualTo((int) (3 * total));
            assertThat(guest.memory.readShort(PAGE + 18)).isEqualTo((int) total & 0xFFFF);
            assertThat(guest.memory.readByte(PAGE + 21)).isEqualTo((int) total & 0xFF);
            assertThat(guest.memory.readLong(PAGE + 0x3C)).as("split lock").isEqualTo(total);
            assertThat(guest.memory.readLong(PAGE + 0x80)).isEqualTo(total);
        }
    }
}
