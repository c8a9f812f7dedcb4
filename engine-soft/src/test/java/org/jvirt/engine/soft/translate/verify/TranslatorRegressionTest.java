package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mem;
import org.jvirt.x86.Mnemonic;

/// What went wrong once, a test for each.
class TranslatorRegressionTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RESULT = Multiprocessor.FREE;
    private static final long COUNT = Multiprocessor.FREE + 0x100;
    private static final long ERRORS = Multiprocessor.FREE + 0x200;
    private static final long SOURCE = Multiprocessor.FREE + 0x300;
    private static final long LOOP_PAGE = Multiprocessor.FREE + 0x1_0000;
    private static final long OTHER_PAGE = Multiprocessor.FREE + 0x2_0000;
    private static final int ROUNDS = 200_000;

    private static Assembler assembler() {
        return new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
    }

    private static Mem at(long address) {
        return mem(address).qword();
    }

    private static Multiprocessor run(Set<CpuFeature> without, Consumer<Assembler> code) {
        var machine = new Multiprocessor(Engines.translator(), 1, without);
        var asm = assembler();
        code.accept(asm);
        machine.load(Multiprocessor.code(0), asm.out(Multiprocessor.STOP_PORT, AL));
        machine.run(LIMIT);
        return machine;
    }

    // ---------------------------------------------------------------- a loop on two pages

    /// A loop whose `ADD` of 6 bytes begins `before` bytes before the end of a page.
    private static Assembler loop(int before, int step) {
        var asm = new Assembler(CodeSize.CODE64, LOOP_PAGE + Layout.PAGE - before - 3);
        asm.label("here").dec(RCX).emit(Mnemonic.ADD, RAX, new Imm(step));
        return asm.test(RCX, RCX).jnz("here").ret();
    }

    /// Instructions on two pages were linked like others, or not at all: the loop then left for the interpreter in
    /// every round, or went on with what had been on the second page before.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 6})
    void aHotLoopThatCrossesAPageStaysInTranslatedCodeAndFollowsItsSecondPage(int before) {
        int first = 0x1111;
        int second = 0x22_2222;
        try (var machine = new Multiprocessor(Engines.translator(), 1)) {
            machine.load(OTHER_PAGE + Layout.PAGE - before - 3, loop(before, second));
            machine.load(LOOP_PAGE + Layout.PAGE - before - 3, loop(before, first));
            long entry = Multiprocessor.pageEntry(LOOP_PAGE + Layout.PAGE);
            var asm = assembler();
            asm.xor(EAX, EAX).mov(ECX, ROUNDS).mov(EBX, (int) (LOOP_PAGE + Layout.PAGE - before - 3));
            asm.call(RBX).mov(at(RESULT), RAX);
            // the second page is another one now
            asm.mov(RDX, at(entry)).add(RDX, (int) (OTHER_PAGE - LOOP_PAGE)).mov(at(entry), RDX);
            asm.invlpg(mem(LOOP_PAGE + Layout.PAGE));
            asm.xor(EAX, EAX).mov(ECX, 3).call(RBX).mov(at(RESULT + 8), RAX);
            asm.out(Multiprocessor.STOP_PORT, AL);
            machine.load(Multiprocessor.code(0), asm);
            machine.run(LIMIT);
            assertThat(machine.memory().readLong(RESULT)).isEqualTo((long) ROUNDS * first);
            // the lowest bytes of the number may still be on the first page
            int kept = Math.clamp(before - 2L, 0, 4);
            long mask = (1L << 8 * kept) - 1;
            long mixed = kept == 4 ? first : first & mask | second & ~mask & 0xFFFF_FFFFL;
            assertThat(machine.memory().readLong(RESULT + 8)).isEqualTo(3 * mixed);
            if (SoftHypervisor.isTranslatorPossible()) {
                assertThat(exits(machine.statistics(0))).isLessThan(ROUNDS / 20);
            }
        }
    }

    /// How often generated code has been left.
    static long exits(String statistics) {
        long all = 0;
        for (String what : List.of("misses", "slow accesses", "interpreted", "unlinked", "unknown targets")) {
            Matcher found = Pattern.compile(what + " (\\d+)").matcher(statistics);
            assertThat(found.find()).as(statistics).isTrue();
            all += Long.parseLong(found.group(1));
        }
        return all;
    }

    // ---------------------------------------------------------------- the end of a machine

    /// After a time limit the state block of a processor that still ran was unmapped: it is the stack of generated
    /// code, so that the process died without a word.
    @Test
    void aProcessorIsNotClosedWhileItRuns() {
        try (var machine = new Multiprocessor(Engines.translator(), 1)) {
            var refusal = new AtomicReference<Throwable>();
            machine.onArrival(() -> refusal.set(catchThrowable(machine.vcpu(0)::close)));
            var asm = assembler().mov(EDX, Multiprocessor.ARRIVAL_PORT).out(DX, AL);
            machine.load(Multiprocessor.code(0), asm.label("here").jmp("here"));
            assertThatThrownBy(() -> machine.run(Duration.ofMillis(300)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("did not stop");
            assertThat(refusal.get())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("vCPU 0 cannot be closed while it runs");
        }
    }

    // ---------------------------------------------------------------- the shadow of STI

    /// An interrupt that waits comes one instruction after `STI`, however hot the code is; and not at all if that
    /// instruction is `CLI`. The handler finds in RBX how many instructions there have been.
    @Test
    void anInlineStiLetsExactlyOneInstructionHappenFirst() {
        try (var machine =
                interrupted(asm -> asm.sti().inc(RBX).inc(RBX).inc(RBX).cli(), 1)) {
            assertThat(machine.memory().readLong(ERRORS)).isZero();
            assertThat(machine.memory().readLong(COUNT)).isEqualTo(ROUNDS / 50);
        }
    }

    @Test
    void anInlineStiBeforeCliLetsNothingIn() {
        try (var machine = interrupted(
                asm -> asm.sti().cli().inc(RBX).inc(RBX).sti().inc(RBX).cli(), 3)) {
            assertThat(machine.memory().readLong(ERRORS)).isZero();
            assertThat(machine.memory().readLong(COUNT)).isEqualTo(ROUNDS / 50);
        }
    }

    /// POPF has no shadow.
    @Test
    void aPopfThatEnablesInterruptsLetsThemInAtOnce() {
        try (var machine =
                interrupted(asm -> asm.push(0x202).popf().inc(RBX).inc(RBX).cli(), 0)) {
            assertThat(machine.memory().readLong(ERRORS)).isZero();
            assertThat(machine.memory().readLong(COUNT)).isEqualTo(ROUNDS / 50);
        }
    }

    /// Nor has IRET.
    @Test
    void anIretThatEnablesInterruptsLetsThemInAtOnce() {
        try (var machine = interrupted(
                asm -> {
                    asm.mov(RAX, RSP).push(0x10).push(RAX).push(0x202).push(8);
                    asm.emit(Mnemonic.LEA, RAX, mem("behind")).push(RAX).iretq();
                    asm.label("behind").inc(RBX).inc(RBX).cli();
                },
                0)) {
            assertThat(machine.memory().readLong(ERRORS)).isZero();
            assertThat(machine.memory().readLong(COUNT)).isEqualTo(ROUNDS / 50);
        }
    }

    /// Runs code again and again with an interrupt that waits, and counts handlers that did not find `expected` in
    /// RBX.
    private static Multiprocessor interrupted(Consumer<Assembler> enables, int expected) {
        var machine = new Multiprocessor(Engines.translator(), 1);
        var asm = assembler();
        asm.mov(R12, ROUNDS / 50).label("again").xor(EBX, EBX);
        asm.xor(EAX, EAX).mov(EDX, Multiprocessor.INTERRUPT_PORT).out(DX, AL);
        enables.accept(asm);
        asm.dec(R12).jnz("again").out(Multiprocessor.STOP_PORT, AL);
        asm.label("handler").cmp(RBX, expected).je("fine").inc(at(ERRORS));
        asm.label("fine").inc(at(COUNT)).iretq();
        machine.load(Multiprocessor.code(0), asm);
        machine.handler(Multiprocessor.INTERRUPT_VECTOR, asm.address("handler"));
        machine.run(LIMIT);
        return machine;
    }

    // ---------------------------------------------------------------- LZCNT and TZCNT

    /// Without their features, LZCNT and TZCNT are BSR and BSF, whose destination stays for a source of zero.
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 0x80, 0x8000_0000L, 0x0012_3400_0000_0000L, -1})
    void lzcntAndTzcntAreScansForAProcessorWithoutThem(long source) {
        long old = 0x7777_7777_7777_7777L;
        try (var machine = run(Set.of(CpuFeature.ABM, CpuFeature.BMI1), asm -> {
            asm.mov(RCX, source).mov(at(SOURCE), RCX).mov(R13, RCX);
            asm.mov(R12, 100).label("again");
            asm.mov(RAX, old).tzcnt(RAX, RCX).mov(at(RESULT), RAX);
            asm.mov(RAX, old).lzcnt(RAX, RCX).mov(at(RESULT + 8), RAX);
            asm.mov(R14, old).tzcnt(R14, R13).mov(at(RESULT + 16), R14);
            asm.mov(R15, old).lzcnt(R15, at(SOURCE)).mov(at(RESULT + 24), R15);
            asm.mov(RAX, old).tzcnt(AX, CX).mov(at(RESULT + 32), RAX);
            asm.mov(EAX, 5).tzcnt(EAX, ECX).mov(at(RESULT + 40), RAX);
            asm.dec(R12).jnz("again");
        })) {
            var memory = machine.memory();
            long low = source == 0 ? old : Long.numberOfTrailingZeros(source);
            long high = source == 0 ? old : 63 - Long.numberOfLeadingZeros(source);
            long low16 = (source & 0xFFFF) == 0 ? old : old & ~0xFFFFL | Long.numberOfTrailingZeros(source);
            long low32 = (int) source == 0 ? 5 : Integer.numberOfTrailingZeros((int) source);
            assertThat(memory.readLong(RESULT)).isEqualTo(low);
            assertThat(memory.readLong(RESULT + 8)).isEqualTo(high);
            assertThat(memory.readLong(RESULT + 16)).isEqualTo(low);
            assertThat(memory.readLong(RESULT + 24)).isEqualTo(high);
            assertThat(memory.readLong(RESULT + 32)).isEqualTo(low16);
            assertThat(memory.readLong(RESULT + 40)).isEqualTo(low32);
            if (SoftHypervisor.isTranslatorPossible()) {
                assertThat(exits(machine.statistics(0))).isLessThan(100);
            }
        }
    }
}
