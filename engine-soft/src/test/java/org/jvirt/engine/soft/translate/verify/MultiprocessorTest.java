package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Hypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// What processors see of each other's work: atomic operations, locks, the order of stores and loads, changed code,
/// changed page tables.
class MultiprocessorTest {
    private static final long SHORT = 20_000;
    private static final long LONG = 20_000_000;
    private static final Duration SHORT_LIMIT = Duration.ofSeconds(60);
    private static final Duration LONG_LIMIT = Duration.ofMinutes(20);

    private static final int TRAP_FLAG = 1 << 8;

    private static final long A = Multiprocessor.FREE;
    private static final long B = Multiprocessor.FREE + 0x100;
    private static final long C = Multiprocessor.FREE + 0x200;
    private static final long D = Multiprocessor.FREE + 0x300;
    private static final long ERRORS = Multiprocessor.FREE + 0x400;
    private static final long BARRIER = Multiprocessor.FREE + 0x500;
    private static final long PAGE = Multiprocessor.FREE + 0x1000;
    private static final long ONE = Multiprocessor.FREE + 0x2000;
    private static final long OTHER = Multiprocessor.FREE + 0x3000;

    private static Hypervisor engine() {
        return Engines.translator();
    }

    private static Mem at(long address) {
        return mem(address).qword();
    }

    private static Assembler assembler(int index) {
        return new Assembler(CodeSize.CODE64, Multiprocessor.code(index));
    }

    /// Runs the same code on each of `count` processors.
    private static Multiprocessor everywhere(int count, long limitSeconds, Function<Assembler, Assembler> body) {
        var machine = new Multiprocessor(engine(), count);
        for (int i = 0; i < count; i++) {
            machine.load(Multiprocessor.code(i), body.apply(assembler(i)).out(Multiprocessor.STOP_PORT, AL));
        }
        machine.run(Duration.ofSeconds(limitSeconds));
        return machine;
    }

    private static Duration limit(long rounds) {
        return rounds > SHORT ? LONG_LIMIT : SHORT_LIMIT;
    }

    @Test
    void noAtomicOperationIsLost() {
        atomicOperations(SHORT);
    }

    @Test
    @Tag("soak")
    void noAtomicOperationIsLostInALongRun() {
        atomicOperations(LONG);
    }

    private static void atomicOperations(long rounds) {
        try (var machine = everywhere(3, limit(rounds).toSeconds(), asm -> {
            asm.mov(R12, rounds).label("again");
            asm.lock().add(at(A), 1);
            asm.mov(EAX, 1).lock().xadd(at(A + 8), RAX);
            asm.lock().inc(mem(A + 16).dword());
            asm.mov(RAX, at(A + 24)).label("retry").lea(RDX, mem(RAX).disp(1));
            asm.lock().cmpxchg(at(A + 24), RDX).jne("retry");
            asm.mov(RAX, at(A + 32)).mov(RDX, at(A + 40)).label("retry16");
            asm.lea(RBX, mem(RAX).disp(1)).lea(RCX, mem(RDX).disp(2));
            asm.lock().cmpxchg16b(mem(A + 32)).jne("retry16");
            // in the middle of another word, and across the end of a line
            asm.lock().add(mem(A + 0x3E).dword(), 1);
            asm.lock().xor(mem(A + 0x50).byteSize(), 1);
            asm.lock().bts(mem(A + 0x58).dword(), 3).lock().btr(mem(A + 0x58).dword(), 3);
            return asm.dec(R12).jnz("again");
        })) {
            var memory = machine.memory();
            assertThat(memory.readLong(A)).as("lock add").isEqualTo(3 * rounds);
            assertThat(memory.readLong(A + 8)).as("lock xadd").isEqualTo(3 * rounds);
            assertThat(memory.readInt(A + 16)).as("lock inc").isEqualTo((int) (3 * rounds));
            assertThat(memory.readLong(A + 24)).as("lock cmpxchg").isEqualTo(3 * rounds);
            assertThat(memory.readLong(A + 32)).as("cmpxchg16b, low").isEqualTo(3 * rounds);
            assertThat(memory.readLong(A + 40)).as("cmpxchg16b, high").isEqualTo(6 * rounds);
            assertThat(memory.readInt(A + 0x3E)).as("split lock").isEqualTo((int) (3 * rounds));
            assertThat(memory.readByte(A + 0x50)).as("lock xor").isEqualTo((int) (3 * rounds & 1));
        }
    }

    @Test
    void lockedOperationsOfTranslatedAndInterpretedCodeExcludeEachOther() {
        mixedOperations(SHORT / 4);
    }

    @Test
    @Tag("soak")
    void lockedOperationsOfTranslatedAndInterpretedCodeExcludeEachOtherInALongRun() {
        mixedOperations(LONG / 20);
    }

    /// One processor's code is translated, and goes on as long as the other's. The other's is interpreted always:
    /// it traps after each instruction.
    private static void mixedOperations(long rounds) {
        try (var machine = new Multiprocessor(engine(), 2)) {
            var translated = assembler(0).xor(R12D, R12D).label("again");
            operations(translated);
            translated.inc(R12).cmp(mem(D).dword(), 0).je("again");
            machine.load(Multiprocessor.code(0), translated.mov(at(C), R12).out(Multiprocessor.STOP_PORT, AL));
            var interpreted = assembler(1).mov(R12, rounds);
            interpreted.pushf().or(mem(RSP).dword(), TRAP_FLAG).popf().label("again");
            operations(interpreted);
            interpreted.dec(R12).jnz("again").mov(mem(D).dword(), 1);
            interpreted.out(Multiprocessor.STOP_PORT, AL).label("trap").iretq();
            machine.load(Multiprocessor.code(1), interpreted);
            machine.handler(Multiprocessor.DEBUG_VECTOR, interpreted.address("trap"));
            machine.run(limit(rounds));
            var memory = machine.memory();
            long all = memory.readLong(C) + rounds;
            assertThat(memory.readLong(A)).as("cmpxchg16b, low").isEqualTo(all);
            assertThat(memory.readLong(A + 8)).as("cmpxchg16b, high").isEqualTo(2 * all);
            assertThat(memory.readInt(A + 0x3E)).as("across a line").isEqualTo((int) all);
            assertThat(memory.readLong(A + 0x55)).as("across 8 bytes").isEqualTo(all);
        }
    }

    private static void operations(Assembler asm) {
        asm.mov(RAX, at(A)).mov(RDX, at(A + 8)).label("retry16");
        asm.lea(RBX, mem(RAX).disp(1)).lea(RCX, mem(RDX).disp(2));
        asm.lock().cmpxchg16b(mem(A)).jne("retry16");
        asm.lock().add(mem(A + 0x3E).dword(), 1);
        asm.lock().inc(mem(A + 0x55).qword());
    }

    @Test
    void locksExclude() {
        locks(SHORT);
    }

    @Test
    @Tag("soak")
    void locksExcludeInALongRun() {
        locks(LONG / 4);
    }

    /// A lock taken with XCHG and a ticket lock, each around an ordinary increment.
    private static void locks(long rounds) {
        try (var machine = everywhere(2, limit(rounds).toSeconds(), asm -> {
            asm.mov(R12, rounds).label("again");
            asm.label("spin")
                    .mov(EAX, 1)
                    .xchg(mem(A).dword(), EAX)
                    .test(EAX, EAX)
                    .jz("taken");
            asm.pause().jmp("spin").label("taken");
            asm.mov(RAX, at(B)).inc(RAX).mov(at(B), RAX);
            asm.mov(mem(A).dword(), 0);
            asm.mov(EAX, 1).lock().xadd(mem(C).dword(), EAX);
            asm.label("wait").cmp(mem(C + 4).dword(), EAX).je("served").pause().jmp("wait");
            asm.label("served").mov(RCX, at(D)).inc(RCX).mov(at(D), RCX);
            asm.inc(EAX).mov(mem(C + 4).dword(), EAX);
            return asm.dec(R12).jnz("again");
        })) {
            assertThat(machine.memory().readLong(B)).as("behind a spin lock").isEqualTo(2 * rounds);
            assertThat(machine.memory().readLong(D)).as("behind a ticket lock").isEqualTo(2 * rounds);
        }
    }

    @Test
    void petersonsAlgorithmExcludes() {
        peterson(SHORT);
    }

    @Test
    @Tag("soak")
    void petersonsAlgorithmExcludesInALongRun() {
        peterson(LONG / 4);
    }

    /// Peterson's algorithm needs a store to be seen before the following load is done: MFENCE.
    private static void peterson(long rounds) {
        try (var machine = everywhere(2, limit(rounds).toSeconds(), asm -> {
            asm.mov(ESI, 1).sub(ESI, EDI);
            asm.mov(R12, rounds).label("again");
            asm.mov(mem(A).index(RDI, 8).qword(), 1);
            asm.mov(at(B), RSI);
            asm.mfence();
            asm.label("wait").cmp(mem(A).index(RSI, 8).qword(), 0).je("enter");
            asm.cmp(at(B), RSI).jne("enter").pause().jmp("wait");
            asm.label("enter").mov(RAX, at(C)).inc(RAX).mov(at(C), RAX);
            asm.mov(mem(A).index(RDI, 8).qword(), 0);
            return asm.dec(R12).jnz("again");
        })) {
            assertThat(machine.memory().readLong(C)).isEqualTo(2 * rounds);
        }
    }

    @Test
    void storesAreSeenInTheirOrder() {
        messagePassing(SHORT);
    }

    @Test
    @Tag("soak")
    void storesAreSeenInTheirOrderInALongRun() {
        messagePassing(LONG);
    }

    private static void messagePassing(long rounds) {
        try (var machine = new Multiprocessor(engine(), 2)) {
            machine.load(
                    Multiprocessor.code(0),
                    assembler(0)
                            .xor(EAX, EAX)
                            .label("again")
                            .inc(RAX)
                            .mov(at(A), RAX)
                            .mov(at(B), RAX)
                            .cmp(RAX, rounds)
                            .jne("again")
                            .out(Multiprocessor.STOP_PORT, AL));
            machine.load(
                    Multiprocessor.code(1),
                    assembler(1)
                            .label("again")
                            .mov(RBX, at(B))
                            .mov(RAX, at(A))
                            .cmp(RAX, RBX)
                            .jae("fine")
                            .inc(at(ERRORS))
                            .label("fine")
                            .cmp(RBX, rounds)
                            .jne("again")
                            .out(Multiprocessor.STOP_PORT, AL));
            machine.run(limit(rounds));
            assertThat(machine.memory().readLong(ERRORS))
                    .as("a flag seen before its data")
                    .isZero();
        }
    }

    @Test
    void aFenceOrdersStoresBeforeLoads() {
        storeBuffers(SHORT, Assembler::mfence);
    }

    @Test
    void aLockedInstructionOrdersStoresBeforeLoads() {
        storeBuffers(SHORT, asm -> asm.lock().or(mem(RSP).disp(-8).dword(), 0));
    }

    @Test
    @Tag("soak")
    void aFenceOrdersStoresBeforeLoadsInALongRun() {
        storeBuffers(LONG / 20, Assembler::mfence);
    }

    /// Each processor stores to one word and loads the other: at least one must see the other's store.
    private static void storeBuffers(long rounds, Function<Assembler, Assembler> fence) {
        try (var machine = everywhere(2, limit(rounds).toSeconds(), asm -> {
            asm.mov(ESI, 1).sub(ESI, EDI);
            asm.mov(EBP, (int) rounds).xor(R12D, R12D).label("again");
            asm.inc(R12);
            barrier(asm, "start");
            asm.mov(mem(A).index(RDI, 8).qword(), R12);
            fence.apply(asm);
            asm.mov(RBX, mem(A).index(RSI, 8).qword());
            asm.mov(mem(B).index(RDI, 8).qword(), RBX);
            barrier(asm, "end");
            // both look at both results
            asm.mov(RAX, at(B)).cmp(RAX, R12).je("fine");
            asm.mov(RAX, at(B + 8)).cmp(RAX, R12).je("fine");
            asm.inc(at(ERRORS)).label("fine");
            barrier(asm, "checked");
            return asm.dec(EBP).jnz("again");
        })) {
            assertThat(machine.memory().readLong(ERRORS))
                    .as("both missed the other's store")
                    .isZero();
        }
    }

    /// Waits for the other of two processors; R15 counts how many arrivals there must be.
    private static void barrier(Assembler asm, String name) {
        asm.add(R15, 2).lock().add(at(BARRIER), 1);
        asm.label("wait " + name)
                .cmp(at(BARRIER), R15)
                .jae("go " + name)
                .pause()
                .jmp("wait " + name);
        asm.label("go " + name);
    }

    @Test
    void codeThatAnotherProcessorChangesIsExecutedAnew() {
        changedCode(SHORT / 100);
    }

    @Test
    @Tag("soak")
    void codeThatAnotherProcessorChangesIsExecutedAnewInALongRun() {
        changedCode(LONG / 1000);
    }

    /// One processor writes a number into an instruction and then announces it; the other executes the instruction
    /// after a serializing one and must get that number.
    private static void changedCode(long rounds) {
        try (var machine = new Multiprocessor(engine(), 2)) {
            var function = new Assembler(CodeSize.CODE64, PAGE).mov(EAX, 0).ret();
            machine.load(PAGE, function);
            machine.load(
                    Multiprocessor.code(0),
                    assembler(0)
                            .xor(EBX, EBX)
                            .label("again")
                            .inc(EBX)
                            .mov(mem(PAGE + 1).dword(), EBX)
                            .mov(mem(A).dword(), EBX)
                            .label("wait")
                            .cmp(mem(B).dword(), EBX)
                            .jne("wait")
                            .cmp(EBX, (int) rounds)
                            .jne("again")
                            .out(Multiprocessor.STOP_PORT, AL));
            machine.load(
                    Multiprocessor.code(1),
                    assembler(1)
                            .xor(R12D, R12D)
                            .mov(R13D, (int) PAGE)
                            .label("again")
                            .inc(R12D)
                            .label("wait")
                            // meanwhile the old code runs again and again
                            .call(R13)
                            .cmp(mem(A).dword(), R12D)
                            .jne("wait")
                            .xor(EAX, EAX)
                            .cpuid()
                            .call(R13)
                            .cmp(EAX, R12D)
                            .je("fine")
                            .inc(at(ERRORS))
                            .label("fine")
                            .mov(mem(B).dword(), R12D)
                            .cmp(R12D, (int) rounds)
                            .jne("again")
                            .out(Multiprocessor.STOP_PORT, AL));
            machine.run(limit(rounds));
            assertThat(machine.memory().readLong(ERRORS))
                    .as("old code executed")
                    .isZero();
        }
    }

    @Test
    void afterAShootdownNobodyUsesTheOldMapping() {
        shootdown(SHORT / 50, 1);
    }

    @Test
    void afterAShootdownNoneOfThreeUsesTheOldMapping() {
        shootdown(SHORT / 200, 3);
    }

    @Test
    @Tag("soak")
    void afterAShootdownNobodyUsesTheOldMappingInALongRun() {
        shootdown(LONG / 200, 3);
    }

    /// One processor lets a page show another frame and interrupts the others, which forget their mapping; from
    /// then on they must read the new frame. The frames hold the number of the round.
    private static void shootdown(long rounds, int readers) {
        try (var machine = new Multiprocessor(engine(), 1 + readers)) {
            long entry = Multiprocessor.pageEntry(PAGE);
            long rights = PageTables.PRESENT | PageTables.WRITABLE;
            var writer = assembler(0)
                    .xor(EBX, EBX)
                    .xor(R9D, R9D)
                    .mov(ESI, (int) (ONE | rights))
                    .label("again")
                    .inc(EBX)
                    // the frame that is not shown, then show it
                    .mov(R8, RSI)
                    .and(R8, -4096)
                    .mov(mem(R8).qword(), RBX)
                    .mov(at(entry), RSI)
                    .xor(ESI, (int) (ONE ^ OTHER))
                    .mov(EDX, Multiprocessor.INTERRUPT_PORT);
            for (int reader = 1; reader <= readers; reader++) {
                writer.mov(EAX, reader).out(DX, AL);
            }
            writer.add(R9, readers).label("wait").cmp(at(A), R9).jne("wait");
            // the others have forgotten
            writer.mov(at(B), RBX).cmp(RBX, (int) rounds).jne("again");
            machine.load(Multiprocessor.code(0), writer.out(Multiprocessor.STOP_PORT, AL));
            for (int reader = 1; reader <= readers; reader++) {
                var asm = assembler(reader)
                        .sti()
                        .label("again")
                        .mov(RAX, at(B))
                        .mov(RBX, at(PAGE))
                        .cmp(RBX, RAX)
                        .jae("fine")
                        .lock()
                        .inc(at(ERRORS))
                        .label("fine")
                        .cmp(RAX, (int) rounds)
                        .jne("again")
                        .out(Multiprocessor.STOP_PORT, AL)
                        .label("handler")
                        .invlpg(mem(PAGE))
                        .lock()
                        .inc(at(A))
                        .iretq();
                machine.load(Multiprocessor.code(reader), asm);
                machine.handler(Multiprocessor.INTERRUPT_VECTOR, asm.address("handler"));
            }
            machine.run(limit(rounds));
            assertThat(machine.memory().readLong(ERRORS))
                    .as("the old frame was read")
                    .isZero();
        }
    }
}
