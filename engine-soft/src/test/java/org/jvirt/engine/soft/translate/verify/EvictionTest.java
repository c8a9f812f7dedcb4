package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// A guest with more code than the code cache has room for: the oldest translations give way, one by one.
class EvictionTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final long RESULT = Multiprocessor.FREE;
    private static final long HOT = Multiprocessor.FREE + 0x1000;
    private static final long COLD = Multiprocessor.FREE + 0x2000;
    private static final int FUNCTION_BYTES = 256;
    private static final int FUNCTIONS = 3000;
    private static final int ROUNDS = 6;
    /// Of a function: its start, what it calls, what follows that, and what both ways lead to; or more where the
    /// branch is not taken.
    private static final int BLOCKS = 4;

    @BeforeAll
    static void translated() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
    }

    /// The `i`th function: adds up its address, memory and a constant that the program changes.
    private static Assembler function(int i) {
        var asm = new Assembler(CodeSize.CODE64, COLD + (long) i * FUNCTION_BYTES);
        asm.mov(EDX, i).lea(RAX, mem("here")).label("here").add(RSI, RAX).add(RSI, RDX);
        for (int k = 0; k < 6; k++) {
            asm.mov(RAX, mem(RBX).disp(8L * k).qword()).add(RAX, RDX);
            asm.mov(mem(RBX).disp(8L * k).qword(), RAX).rol(RSI, 1).xor(RSI, RAX);
        }
        asm.call("inner")
                .test(ESI, 1)
                .jz("even")
                .add(RSI, i)
                .label("even")
                .push(RSI)
                .pop(RAX)
                .ret();
        return asm.label("inner").add(RSI, mem(RSP).qword()).ret();
    }

    private static Assembler program() {
        var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
        asm.mov(EBX, (int) RESULT + 64).xor(ESI, ESI).mov(R12, ROUNDS).mov(R13D, (int) HOT);
        asm.label("round").mov(EBP, (int) COLD).mov(R14, FUNCTIONS);
        asm.label("function").call(RBP).call(R13);
        // every fourth has another constant in the next round
        asm.test(R14D, 3).jnz("unchanged").mov(mem(RBP).disp(1).dword(), ESI).label("unchanged");
        asm.add(RBP, FUNCTION_BYTES).dec(R14).jnz("function").dec(R12).jnz("round");
        return asm.mov(mem(RESULT).qword(), RSI).out(Multiprocessor.STOP_PORT, AL);
    }

    private record Run(long sum, String statistics) {
        long counter(String what) {
            Matcher found = Pattern.compile(what + " (\\d+)").matcher(statistics);
            assertThat(found.find()).as(statistics).isTrue();
            return Long.parseLong(found.group(1));
        }
    }

    private static Run run(Hypervisor engine) {
        try (var machine = new Multiprocessor(engine, 1)) {
            for (int i = 0; i < FUNCTIONS; i++) {
                machine.load(COLD + (long) i * FUNCTION_BYTES, function(i));
            }
            var hot = new Assembler(CodeSize.CODE64, HOT);
            machine.load(
                    HOT,
                    hot.mov(ECX, 3)
                            .label("more")
                            .add(RSI, RCX)
                            .dec(ECX)
                            .jnz("more")
                            .ret());
            machine.load(Multiprocessor.code(0), program());
            machine.run(LIMIT);
            return new Run(machine.memory().readLong(RESULT), machine.statistics(0));
        }
    }

    private static TranslatorSettings small() {
        return TranslatorSettings.DEFAULT.withThreshold(0).withCacheBytes(TranslatorSettings.LEAST_CACHE_BYTES);
    }

    @Test
    void codeThatDoesNotFitGoesOnExactly() {
        Run expected = run(Engines.interpreter());
        Run small = run(SoftHypervisor.translator(small()));
        assertThat(small.sum()).isEqualTo(expected.sum());
        assertThat(small.counter("rounds")).isGreaterThan(ROUNDS / 2);
        assertThat(small.counter("evicted")).isGreaterThan((long) FUNCTIONS * ROUNDS / 2);
        assertThat(small.counter("cache")).isLessThanOrEqualTo(TranslatorSettings.LEAST_CACHE_BYTES >> 10);
    }

    /// What is executed all the time is made again once in a round of the cache, not once for each function.
    @Test
    void hotCodeSurvives() {
        Run small = run(SoftHypervisor.translator(small()));
        long hot = 20 * (small.counter("rounds") + 1);
        assertThat(small.counter("translated")).isLessThan((long) FUNCTIONS * ROUNDS * BLOCKS + hot);
        assertThat(hot).isLessThan(FUNCTIONS);
    }

    @Test
    void whatGaveWayComesBackFromTheStore(@TempDir Path store) {
        Run first = run(SoftHypervisor.translator(small().withStore(Optional.of(store))));
        Run second = run(SoftHypervisor.translator(small().withStore(Optional.of(store))));
        assertThat(second.sum()).isEqualTo(first.sum());
        assertThat(second.counter("evicted")).isGreaterThan(FUNCTIONS);
        assertThat(second.counter("recalled")).isGreaterThan((long) FUNCTIONS * ROUNDS);
    }

    @Test
    void itGoesOnWhileItIsVerified() {
        Run expected = run(Engines.interpreter());
        Run verified = run(SoftHypervisor.translator(small().withVerification(2)));
        assertThat(verified.sum()).isEqualTo(expected.sum());
        assertThat(verified.counter("evicted")).isGreaterThan((long) FUNCTIONS * ROUNDS / 2);
    }
}
