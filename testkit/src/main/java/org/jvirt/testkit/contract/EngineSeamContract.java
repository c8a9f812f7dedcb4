package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.DX;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDI;
import static org.jvirt.x86.Registers.RSI;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Capability;
import org.jvirt.core.Doorbell;
import org.jvirt.core.GuestDebug;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.RunResult;
import org.jvirt.core.cpu.CpuState;

/// What lies between engine and machine: the dirty log, slots, processors, kicks, doorbells, breakpoints.
abstract class EngineSeamContract extends HypervisorContract {
    private static final int PAGE = 4096;

    @Test
    void theDirtyLogTellsOfEveryPageWrittenSinceItWasTaken() {
        try (var guest = guest()) {
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).count())
                    .as("the first time, all")
                    .isEqualTo((int) (Guest.RAM_SLOT.sizeBytes() / PAGE));
            guest.run64(code64().mov(RBX, Guest.FREE + 0x20_0000L)
                    .mov(ECX, 8)
                    .label("next")
                    .mov(mem(RBX).qword(), 1)
                    .add(RBX, 2 * PAGE)
                    .dec(ECX)
                    .jnz("next")
                    .out(Guest.EXIT_PORT, AL));
            guest.memory.writeByte(0x70_0000, 1);
            var dirty = guest.vm.takeDirtyPages(Guest.RAM_SLOT).pages();
            for (int i = 0; i < 16; i++) {
                assertThat(dirty.get(0x300 + i)).as("page %d of the guest's", i).isEqualTo(i % 2 == 0);
            }
            assertThat(dirty.get(0x700)).as("a device's page").isTrue();
            assertThat(dirty.get(0x500)).isFalse();
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.load(Guest.CODE, code64().mov(mem(Guest.FREE).byteSize(), 1).out(Guest.EXIT_PORT, AL));
            var _ = guest.vm.takeDirtyPages(Guest.RAM_SLOT);
            guest.run(0);
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).pages().get((int) (Guest.FREE / PAGE)))
                    .isTrue();
            assertThat(guest.vm.takeDirtyPages(Guest.RAM_SLOT).count())
                    .as("nothing has run since")
                    .isZero();
        }
    }

    @Test
    void everyOneOfManySlotsIsMemory() {
        int count = 40;
        long first = 0xC010_0000L;
        var slots = new ArrayList<MemorySlot>();
        for (int i = 0; i < count; i++) {
            // each shows the page that lies behind the one before it, and there are gaps
            slots.add(new MemorySlot(2 + i, first + 2L * PAGE * i, PAGE, Guest.RAM_BYTES + PAGE * (1L + i), false));
        }
        try (var guest = new Guest(engine(), 1, slots)) {
            guest.answer(0x77);
            for (MemorySlot slot : slots) {
                guest.memory.writeInt(slot.gpa(), slot.id());
            }
            guest.run64(code64().mov(RBX, first)
                    .mov(ECX, count)
                    .label("next")
                    .add(EAX, mem(RBX))
                    .mov(mem(RBX).disp(4).dword(), ECX)
                    .add(RBX, 2 * PAGE)
                    .dec(ECX)
                    .jnz("next")
                    .mov(RSI, mem(RBX).disp(-PAGE))
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rax()).isEqualTo(count * (2 + 1 + count) / 2);
            assertThat(guest.registers().rsi()).as("between slots are devices").isEqualTo(0x77);
            for (int i = 0; i < count; i++) {
                assertThat(guest.memory.readInt(slots.get(i).gpa() + 4)).isEqualTo(count - i);
            }
        }
    }

    @Test
    void manyProcessorsCountTogether() {
        int count = 8;
        int rounds = 200;
        try (var guest = guest(count)) {
            guest.load(
                    Guest.CODE,
                    code64().mov(ECX, rounds)
                            .label("next")
                            .lock()
                            .inc(mem(Guest.FREE).dword())
                            .dec(ECX)
                            .jnz("next")
                            .out(Guest.EXIT_PORT, AL));
            List<CompletableFuture<RunResult>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                guest.vcpus.get(i).load(guest.long64(i, Guest.CODE));
            }
            for (int i = 0; i < count; i++) {
                running.add(guest.start(i));
            }
            running.forEach(each -> assertThat(Guest.await(each)).isEqualTo(RunResult.KICKED));
            assertThat(guest.memory.readInt(Guest.FREE)).isEqualTo(count * rounds);
        }
    }

    @Test
    void aKickBeforeRunningEndsTheNextRunAndOnlyThat() {
        try (var guest = guest()) {
            guest.load(
                    Guest.CODE,
                    code64().inc(RBX).out(0x10, AL).out(Guest.EXIT_PORT, AL).hlt());
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.vcpus.getFirst().kick();
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rip()).as("nothing executed").isEqualTo(Guest.CODE);
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
            assertThat(guest.accesses).hasSize(1);
            assertThat(guest.registers().rbx()).isEqualTo(1);
        }
    }

    @Test
    void aKickIsFollowedWithinASecond() {
        try (var guest = guest()) {
            guest.load(Guest.CODE, code64().label("busy").jmp("busy"));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            long best = Long.MAX_VALUE;
            for (int i = 0; i < 10; i++) {
                var running = guest.start(0);
                long before = System.nanoTime();
                guest.vcpus.getFirst().kick();
                Guest.await(running);
                best = Math.min(best, System.nanoTime() - before);
            }
            assertThat(best).isLessThan(1_000_000_000L);
        }
    }

    @Test
    void anAccessIsCompleteWhenAKickEndsTheRun() {
        try (var guest = guest()) {
            guest.answer(0x1234);
            Guest.Access read = new Guest.Access(false, 0x20, 4, 0x1234);
            guest.run64(code64().in(EAX, 0x20)
                    .mov(EBX, EAX)
                    .out(Guest.EXIT_PORT, AL)
                    .hlt());
            assertThat(guest.accesses).containsExactly(read);
            long after = guest.registers().rip();
            assertThat(guest.registers().rbx()).isEqualTo(0x1234);
            assertThat(guest.memory.readByte(after)).as("HLT is next").isEqualTo(0xF4);
        }
    }

    @Test
    void aStringOfPortReadsCrossesPages() {
        try (var guest = guest()) {
            guest.answer(0x5A);
            guest.run64(code64().mov(RDI, Guest.FREE + PAGE - 100)
                    .mov(ECX, 200)
                    .mov(EAX, 0)
                    .mov(DX, 0x60)
                    .rep()
                    .insb()
                    .out(Guest.EXIT_PORT, AL));
            var filled = new byte[200];
            guest.memory.read(Guest.FREE + PAGE - 100, filled);
            assertThat(filled).containsOnly(0x5A);
            assertThat(guest.accesses).hasSize(200);
            assertThat(guest.registers().rcx()).isZero();
        }
    }

    @Test
    void theStateOfAHaltedProcessorStartsAnotherOne() {
        CpuState halted;
        byte[] memory = new byte[8 << 20];
        try (var guest = guest()) {
            guest.load(Guest.FREE, code64(Guest.FREE).add(RBX, 5).iretq());
            guest.gate(0x41, Guest.FREE, 0);
            guest.load(
                    Guest.CODE, code64().mov(EBX, 2).sti().hlt().add(RBX, RBX).out(Guest.EXIT_PORT, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            var running = guest.start(0);
            guest.awaitInstruction(0, running, Guest.CODE + 7);
            halted = guest.vcpus.getFirst().state();
            guest.memory.read(0, memory);
        }
        try (var guest = guest()) {
            guest.memory.write(0, memory);
            guest.vcpus.getFirst().load(halted);
            guest.interrupts.raise(0, 0x41);
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rbx()).isEqualTo(14);
        }
    }

    @Test
    void aDoorbellIsHeardWhoeverRings() throws InterruptedException {
        try (var guest = guest();
                Doorbell bell = guest.vm.doorbell("contract")) {
            var heard = new CompletableFuture<Integer>();
            Thread owner = Thread.ofPlatform().daemon().start(() -> {
                bell.await();
                bell.await();
                heard.complete(2);
            });
            bell.ring();
            boolean listens = bell.listen(Guest.DEVICE + 0x100);
            assertThat(listens).isEqualTo(engine().capabilities().contains(Capability.DOORBELLS));
            while (owner.getState() == Thread.State.NEW) {
                Thread.onSpinWait();
            }
            var code = code64().mov(RBX, Guest.DEVICE + 0x100);
            // whether both rings come before the first await or after it, three are enough
            code.mov(mem(RBX).word(), 1)
                    .mov(mem(RBX).dword(), 2)
                    .mov(mem(RBX).disp(8).dword(), 3);
            guest.run64(code.out(Guest.EXIT_PORT, AL));
            if (listens) {
                assertThat(guest.accesses).as("only what nobody listens to").hasSize(1);
            } else {
                assertThat(guest.accesses).hasSize(3);
            }
            while (!heard.isDone()) {
                bell.ring();
                owner.join(10);
            }
            bell.deafen();
            guest.accesses.clear();
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.run(0);
            assertThat(guest.accesses).as("after deafening").hasSize(3);
        }
    }

    @Test
    void singleStepsStopAfterEachInstruction() {
        Assumptions.assumeTrue(engine().capabilities().contains(Capability.GUEST_DEBUG), "no breakpoints");
        try (var guest = guest()) {
            guest.load(Guest.CODE, code64().inc(RBX).inc(RCX).inc(RAX).out(Guest.EXIT_PORT, AL));
            var vcpu = guest.vcpus.getFirst();
            vcpu.load(guest.long64(0, Guest.CODE));
            vcpu.debug(new GuestDebug(true, false, List.of()));
            assertThat(guest.run(0)).isEqualTo(new RunResult.Debug(Guest.CODE + 3));
            assertThat(guest.run(0)).isEqualTo(new RunResult.Debug(Guest.CODE + 6));
            vcpu.debug(GuestDebug.NONE);
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rax()).isEqualTo(1);
        }
    }

    @Test
    void breakpointsStopBeforeTheInstructionAndWatchpointsAfterIt() {
        Assumptions.assumeTrue(engine().capabilities().contains(Capability.GUEST_DEBUG), "no breakpoints");
        try (var guest = guest()) {
            var code = code64().inc(RBX);
            long second = code.here();
            code.inc(RCX).mov(RBX, Guest.FREE).mov(mem(RBX).dword(), 9);
            long after = code.here();
            guest.load(Guest.CODE, code.nop().out(Guest.EXIT_PORT, AL));
            var vcpu = guest.vcpus.getFirst();
            vcpu.load(guest.long64(0, Guest.CODE));
            vcpu.debug(new GuestDebug(false, false, List.of(new GuestDebug.Point(GuestDebug.Kind.EXECUTE, second, 1))));
            assertThat(guest.run(0)).isEqualTo(new RunResult.Debug(second));
            assertThat(guest.registers().rcx()).isZero();
            vcpu.debug(
                    new GuestDebug(false, false, List.of(new GuestDebug.Point(GuestDebug.Kind.WRITE, Guest.FREE, 4))));
            assertThat(guest.run(0)).isEqualTo(new RunResult.Debug(after));
            assertThat(guest.memory.readInt(Guest.FREE)).isEqualTo(9);
            vcpu.debug(GuestDebug.NONE);
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
        }
    }

    @Test
    void aDebuggersInt3StopsAtItself() {
        Assumptions.assumeTrue(engine().capabilities().contains(Capability.GUEST_DEBUG), "no breakpoints");
        try (var guest = guest()) {
            var code = code64().inc(RBX);
            long at = code.here();
            guest.load(Guest.CODE, code.int3().out(Guest.EXIT_PORT, AL));
            var vcpu = guest.vcpus.getFirst();
            vcpu.load(guest.long64(0, Guest.CODE));
            vcpu.debug(new GuestDebug(false, true, List.of()));
            assertThat(guest.run(0)).isEqualTo(new RunResult.Debug(at));
            guest.memory.writeByte(at, 0x90);
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
        }
    }
}
