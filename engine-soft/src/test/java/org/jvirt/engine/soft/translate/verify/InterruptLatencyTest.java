package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.junit.jupiter.api.Test;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mnemonic;

/// An interrupt reaches its handler within 100 µs, whatever the guest's code is busy with.
///
/// What is measured is the time from the request on another thread to the first instruction of the handler. On a
/// host with other work to do a processor's thread may not be running then; so the bound holds for the tenth of the
/// requests that fare best: a guest that keeps interrupts away for longer does so nearly always.
class InterruptLatencyTest {
    private static final int REQUESTS = 100;
    /// Requests before those: Java compiles the engine.
    private static final int WARM_UP = 60;

    private static final int LONGEST_PAUSE_NANOS = 300_000;
    private static final long BOUND_NANOS = 100_000;
    private static final Duration LIMIT = Duration.ofSeconds(120);

    private static final long COUNT = Multiprocessor.FREE;
    private static final long STRAIGHT = Multiprocessor.FREE + 0x1_0000;
    private static final int STRAIGHT_BYTES = 0x8_0000;
    private static final long FAR = 1L << 30;
    private static final int FAR_BYTES = 1 << 30;

    private final long[] latencies = new long[REQUESTS];
    private volatile long arrivedNanos;

    /// Runs code that never ends and is interrupted.
    private void bounded(String what, Consumer<Assembler> hostile) {
        bounded(what, hostile, machine -> {});
    }

    /// Runs code at [#STRAIGHT] that fills [#STRAIGHT_BYTES] and begins again.
    ///
    /// @param piece writes one piece of it, given its number
    private void boundedStraight(String what, ObjIntConsumer<Assembler> piece) {
        var asm = new Assembler(CodeSize.CODE64, STRAIGHT).label("first");
        for (int i = 0; asm.size() < STRAIGHT_BYTES; i++) {
            piece.accept(asm, i);
        }
        asm.jmp("first");
        bounded(
                "%s of %d KiB".formatted(what, STRAIGHT_BYTES >> 10),
                entry -> entry.mov(EAX, (int) STRAIGHT).jmp(RAX),
                machine -> machine.load(STRAIGHT, asm));
    }

    private void bounded(String what, Consumer<Assembler> hostile, Consumer<Multiprocessor> more) {
        var arrived = new Semaphore(0);
        try (var machine = new Multiprocessor(Engines.translator(), 1)) {
            machine.onArrival(() -> {
                arrivedNanos = System.nanoTime();
                arrived.release();
            });
            far(machine);
            var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
            asm.mov(mem(COUNT).dword(), WARM_UP + REQUESTS).sti().jmp("hostile");
            asm.label("handler").push(RAX).push(RDX);
            asm.mov(EDX, Multiprocessor.ARRIVAL_PORT).out(DX, AL);
            asm.dec(mem(COUNT).dword()).jnz("more").out(Multiprocessor.STOP_PORT, AL);
            asm.label("more").pop(RDX).pop(RAX).iretq();
            asm.label("hostile");
            hostile.accept(asm);
            machine.load(Multiprocessor.code(0), asm);
            more.accept(machine);
            machine.handler(Multiprocessor.INTERRUPT_VECTOR, asm.address("handler"));
            Thread requester = Thread.ofPlatform().daemon().start(() -> request(machine, arrived));
            machine.run(LIMIT);
            requester.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        Arrays.sort(latencies);
        System.out.printf(
                Locale.ROOT,
                "interrupt latency under %s: best tenth %.1f µs, median %.1f µs, longest %.1f µs%n",
                what,
                latencies[REQUESTS / 10] / 1e3,
                latencies[REQUESTS / 2] / 1e3,
                latencies[REQUESTS - 1] / 1e3);
        assertThat(latencies[REQUESTS / 10]).as(what).isLessThan(BOUND_NANOS);
    }

    private void request(Multiprocessor machine, Semaphore arrived) {
        var random = new SplittableRandom(1);
        try {
            for (int i = -WARM_UP; i < REQUESTS; i++) {
                LockSupport.parkNanos(random.nextInt(LONGEST_PAUSE_NANOS));
                long start = System.nanoTime();
                machine.interrupt(0);
                if (!arrived.tryAcquire(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                    return;
                }
                if (i >= 0) {
                    latencies[i] = arrivedNanos - start;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Maps the second GiB in large pages, which are all the same one.
    private static void far(Multiprocessor machine) {
        long table = Multiprocessor.FREE_TABLES;
        long rights = PageTables.PRESENT | PageTables.WRITABLE;
        machine.memory().writeLong(Multiprocessor.SECOND_GIB, table | rights);
        for (int i = 0; i < 512; i++) {
            machine.memory().writeLong(table + 8 * i, Multiprocessor.UNMAPPED | rights | 1 << 7);
        }
    }

    @Test
    void aTightLoopIsInterrupted() {
        bounded("a loop of one instruction", asm -> asm.label("here").jmp("here"));
    }

    @Test
    void aConditionalLoopIsInterrupted() {
        bounded("a counting loop", asm -> asm.label("here").inc(RAX).jnz("here").jmp("here"));
    }

    @Test
    void longStraightCodeIsInterrupted() {
        boundedStraight("straight code", (asm, i) -> asm.add(RBX, RCX).imul(RSI, RBX));
    }

    @Test
    void longChainsOfBlocksAreInterrupted() {
        boundedStraight(
                "a chain of blocks",
                (asm, i) -> asm.add(RBX, RCX).jz("block" + i).nop().label("block" + i));
    }

    @Test
    void callsAndReturnsAreInterrupted() {
        bounded(
                "calls and returns",
                asm -> asm.label("here")
                        .call("there")
                        .jmp("here")
                        .label("there")
                        .ret());
    }

    @Test
    void aRepeatedMoveOfAGigabyteIsInterrupted() {
        bounded(
                "rep movsb of 1 GiB",
                asm -> asm.label("here")
                        .mov(ESI, (int) FAR)
                        .mov(EDI, (int) FAR)
                        .mov(ECX, FAR_BYTES)
                        .rep()
                        .movsb()
                        .jmp("here"));
    }

    @Test
    void aRepeatedStoreOfAGigabyteIsInterrupted() {
        bounded(
                "rep stosq of 1 GiB",
                asm -> asm.label("here")
                        .mov(EDI, (int) FAR)
                        .mov(ECX, FAR_BYTES / 8)
                        .rep()
                        .stosq()
                        .jmp("here"));
    }

    @Test
    void aRepeatedScanOfAGigabyteIsInterrupted() {
        bounded(
                "repe scasb of 1 GiB",
                asm -> asm.xor(EAX, EAX)
                        .label("here")
                        .mov(EDI, (int) FAR)
                        .mov(ECX, FAR_BYTES)
                        .rep()
                        .scasb()
                        .jmp("here"));
    }

    @Test
    void translationMissesAreInterrupted() {
        bounded(
                "a translation miss in every instruction",
                asm -> asm.label("again")
                        .mov(EBX, (int) FAR)
                        .label("here")
                        .mov(RAX, mem(RBX).qword())
                        .add(RBX, 0x1000)
                        .cmp(RBX, (int) (FAR - 1 + FAR_BYTES - 0x1000))
                        .jb("here")
                        .jmp("again"));
    }

    @Test
    void changesOfRightsAreInterrupted() {
        bounded(
                "interrupt returns",
                asm -> asm.label("here")
                        .mov(RAX, RSP)
                        .push(0x10)
                        .push(RAX)
                        .pushf()
                        .push(8)
                        .emit(Mnemonic.LEA, RAX, mem("here"))
                        .push(RAX)
                        .iretq());
    }
}
