package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// Accesses that begin on one page and end on the next.
///
/// ```
/// DATA      EDGE                 APART
/// | page 0 ─┼─ page 1 |   …   | what page 1 is when it is elsewhere |
/// ```
@Timeout(120)
class AcrossPagesTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RESULT = Multiprocessor.FREE;
    private static final long DATA = Multiprocessor.FREE + 0x1_0000;
    private static final long EDGE = DATA + Layout.PAGE;
    private static final long APART = Multiprocessor.FREE + 0x2_0000;
    private static final int ROUNDS = 20_000;

    private static Mem across(int before) {
        return mem(RBX).disp(-before);
    }

    private static Mem result(int number) {
        return mem(RESULT + 8L * number).qword();
    }

    /// Has one processor execute `code` with [#EDGE] in RBX.
    private static Multiprocessor run(Multiprocessor machine, Consumer<Assembler> code) {
        var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
        asm.mov(EBX, (int) EDGE);
        code.accept(asm);
        machine.load(Multiprocessor.code(0), asm.out(Multiprocessor.STOP_PORT, AL));
        machine.run(LIMIT);
        return machine;
    }

    private static Multiprocessor machine() {
        return new Multiprocessor(Engines.translator(), 1);
    }

    private static void expectFewExits(Multiprocessor machine) {
        if (SoftHypervisor.isTranslatorPossible()) {
            assertThat(TranslatorRegressionTest.exits(machine.statistics(0))).isLessThan(ROUNDS / 20);
        }
    }

    /// Page 1 becomes another one.
    private static void leadElsewhere(Assembler asm) {
        Mem entry = mem(Multiprocessor.pageEntry(EDGE)).qword();
        asm.mov(RDX, entry).add(RDX, (int) (APART - EDGE)).mov(entry, RDX).invlpg(mem(EDGE));
    }

    @Test
    void theyStayInTranslatedCodeWherePagesFollowEachOther() {
        try (var machine = run(
                machine(),
                asm -> asm.mov(ECX, ROUNDS)
                        .label("again")
                        .mov(across(1).word(), CX)
                        .mov(RSI, across(5).qword())
                        .add(across(3).dword(), ECX)
                        .movups(XMM0, across(9))
                        .movups(across(15), XMM0)
                        .add(RSI, across(7).qword())
                        .add(RAX, RSI)
                        .dec(RCX)
                        .jnz("again")
                        .mov(result(0), RAX))) {
            expectFewExits(machine);
            try (var wanted = new Multiprocessor(Engines.interpreter(), 1)) {
                byte[] code = new byte[Layout.PAGE];
                machine.memory().read(Multiprocessor.code(0), code);
                wanted.memory().write(Multiprocessor.code(0), code);
                wanted.run(LIMIT);
                assertThat(machine.memory().readLong(RESULT))
                        .isNotZero()
                        .isEqualTo(wanted.memory().readLong(RESULT));
                for (int at = -16; at < 16; at += 8) {
                    assertThat(machine.memory().readLong(EDGE + at))
                            .isEqualTo(wanted.memory().readLong(EDGE + at));
                }
            }
        }
    }

    @Test
    void aSecondPageElsewhereIsFound() {
        try (var machine = run(machine(), asm -> {
            asm.mov(RAX, 0x1122_3344_5566_7788L).mov(ECX, ROUNDS);
            asm.label("near").mov(across(4).qword(), RAX).dec(RCX).jnz("near");
            leadElsewhere(asm);
            asm.mov(RAX, 0x99AA_BBCC_DDEE_FF00L).mov(ECX, ROUNDS);
            asm.label("far").mov(across(4).qword(), RAX).mov(RSI, across(4).qword());
            asm.dec(RCX).jnz("far").mov(result(0), RSI);
        })) {
            assertThat(machine.memory().readInt(EDGE - 4)).isEqualTo(0xDDEE_FF00);
            assertThat(machine.memory().readInt(EDGE)).isEqualTo(0x1122_3344);
            assertThat(machine.memory().readInt(APART)).isEqualTo(0x99AA_BBCC);
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(0x99AA_BBCC_DDEE_FF00L);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void codeOnTheSecondPageIsChanged(int before) {
        // mov eax, …; ret
        long code = 0xC3_0000_0000_B8L;
        try (var machine = run(machine(), asm -> {
            asm.mov(RSI, code).mov(mem(RBX).qword(), RSI).mov(ECX, 300).xor(EDI, EDI);
            asm.label("again").mov(RDX, RCX).shl(RDX, 8).or(RDX, RSI).shl(RDX, 8 * before);
            // its first bytes are the last of page 0
            asm.mov(across(before).qword(), RDX).call(RBX).and(EAX, 0xFFFF).add(RDI, RAX);
            asm.dec(RCX).jnz("again").mov(result(0), RDI);
        })) {
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(300L * 301 / 2);
        }
    }

    /// The second page holds code, but not where the store ends.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSecondPageWithCodeElsewhereIsStoredTo(boolean apart) {
        int code = 0x800;
        try (var machine = run(machine(), asm -> {
            if (apart) {
                leadElsewhere(asm);
            }
            asm.mov(mem(RBX).disp(code).byteSize(), 0xC3)
                    .lea(RBP, mem(RBX).disp(code))
                    .mov(ECX, ROUNDS);
            asm.mov(RAX, 0x1122_3344_5566_7788L)
                    .mov(RSI, across(8).qword())
                    .label("again")
                    .call(RBP);
            asm.mov(across(4).qword(), RAX).inc(RAX).dec(RCX).jnz("again");
        })) {
            long second = apart ? APART : EDGE;
            assertThat(machine.memory().readInt(EDGE - 4)).isEqualTo(0x5566_7788 + ROUNDS - 1);
            assertThat(machine.memory().readInt(second)).isEqualTo(0x1122_3344);
            assertThat(machine.memory().readInt(second + 4)).isZero();
            assertThat(machine.memory().readInt(second - 4)).isEqualTo(apart ? 0 : 0x5566_7788 + ROUNDS - 1);
        }
    }

    @Test
    void whatIsIndivisibleStaysTheInterpreters() {
        try (var machine = run(
                machine(),
                asm -> asm.mov(ECX, ROUNDS)
                        .label("again")
                        .lock()
                        .add(across(4).qword(), RCX)
                        .xchg(across(6).qword(), RSI)
                        .xchg(across(6).qword(), RSI)
                        .dec(RCX)
                        .jnz("again"))) {
            assertThat(machine.memory().readLong(EDGE - 4)).isEqualTo(ROUNDS * (ROUNDS + 1L) / 2);
            if (SoftHypervisor.isTranslatorPossible()) {
                assertThat(TranslatorRegressionTest.exits(machine.statistics(0)))
                        .isGreaterThan(2 * ROUNDS);
            }
        }
    }

    @Test
    void repeatedStringsGoOn() {
        int bytes = 2 * Layout.PAGE - 64;
        try (var machine = run(machine(), asm -> {
            asm.mov(RAX, 0x0102_0304_0506_0708L);
            asm.lea(RDI, across(Layout.PAGE - 13)).mov(ECX, bytes / 8).rep().stosq();
            asm.lea(RSI, across(Layout.PAGE - 13)).mov(EDI, (int) APART + 5);
            asm.mov(ECX, bytes / 8).rep().movsq();
        })) {
            for (int at = 0; at < bytes; at += 8) {
                assertThat(machine.memory().readLong(EDGE - Layout.PAGE + 13 + at))
                        .isEqualTo(0x0102_0304_0506_0708L);
                assertThat(machine.memory().readLong(APART + 5 + at)).isEqualTo(0x0102_0304_0506_0708L);
            }
        }
    }
}
