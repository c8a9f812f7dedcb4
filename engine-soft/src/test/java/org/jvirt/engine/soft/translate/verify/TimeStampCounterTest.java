package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.jvirt.core.TscClock;
import org.jvirt.core.VmClock;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// The time-stamp counter as translated code reads it.
class TimeStampCounterTest {
    private static final long HZ = 2_345_678_901L;
    private static final long AHEAD_NANOS = 987_654_321_012_345L;
    private static final int READS = 50_000;
    private static final long FIRST = Multiprocessor.FREE;
    private static final long LAST = Multiprocessor.FREE + 8;
    private static final long ERRORS = Multiprocessor.FREE + 16;
    private static final long VECTOR = Multiprocessor.FREE + 32;
    private static final int TRAP_FLAG = 1 << 8;

    /// Follows the host's clock, from which it has a distance.
    private static final class FollowingClock implements VmClock {
        @Override
        public long nanos() {
            return System.nanoTime() + AHEAD_NANOS;
        }

        @Override
        public long aheadOfHost() {
            return AHEAD_NANOS;
        }

        @Override
        public long wallNanos() {
            return 0;
        }

        @Override
        public Timer timer(String name, Runnable onExpiry) {
            throw new UnsupportedOperationException("There are no timers here");
        }
    }

    private static Mem at(long address) {
        return mem(address).qword();
    }

    /// Reads into RAX, and counts an error if that is less than R13, which it becomes.
    private static void read(Assembler asm, String name) {
        asm.rdtsc().shl(RDX, 32).or(RAX, RDX);
        asm.cmp(RAX, R13).jae(name).inc(at(ERRORS));
        asm.label(name).mov(R13, RAX);
    }

    /// Translated and interpreted reads in turns: a single step is the interpreter's.
    @Test
    void itNeverGoesBackAndAgreesWithTheClockWhoeverReadsIt() {
        var counter = new TscClock(new FollowingClock(), HZ);
        try (var machine = new Multiprocessor(Engines.translator(), 1, Set.of(), counter)) {
            var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
            asm.rdtsc().shl(RDX, 32).or(RAX, RDX).mov(at(FIRST), RAX).mov(R13, RAX);
            asm.mov(R12, READS).mov(R11, 0x1122_3344_5566_7788L).movq(XMM7, R11).label("again");
            asm.mov(ESI, 0x1234_5678).mov(R8, RSI);
            read(asm, "translated");
            asm.cmp(RSI, R8).je("kept").inc(at(ERRORS)).label("kept");
            asm.test(R12, 0xFF).jnz("next");
            asm.pushf().or(mem(RSP).dword(), TRAP_FLAG).popf();
            read(asm, "interpreted");
            asm.pushf().and(mem(RSP).dword(), ~TRAP_FLAG).popf();
            asm.label("next").dec(R12).jnz("again").mov(at(LAST), R13).movq(at(VECTOR), XMM7);
            asm.out(Multiprocessor.STOP_PORT, AL).label("trap").iretq();
            machine.load(Multiprocessor.code(0), asm);
            machine.handler(Multiprocessor.DEBUG_VECTOR, asm.address("trap"));
            long before = counter.ticks();
            machine.run(Duration.ofSeconds(60));
            long after = counter.ticks();
            var memory = machine.memory();
            assertThat(memory.readLong(ERRORS)).isZero();
            assertThat(memory.readLong(FIRST)).isBetween(before, after);
            assertThat(memory.readLong(LAST)).isBetween(memory.readLong(FIRST) + 1, after);
            assertThat(memory.readLong(VECTOR)).isEqualTo(0x1122_3344_5566_7788L);
            if (SoftHypervisor.isTranslatorPossible()) {
                assertThat(machine.statistics(0)).doesNotContain("rdtsc");
            }
        }
    }
}
