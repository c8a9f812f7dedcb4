package org.jvirt.engine.soft.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.engine.soft.translate.Translator;
import org.jvirt.engine.soft.translate.TranslatorCounters;

/// Translations that another processor has made.
final class RecallTest {
    /// lea rax, [rip]; add [0x8000], ecx; call +0; pop rdx; dec ecx; jnz back; ud2
    private static final int[] CODE = {
        0x48, 0x8D, 0x05, 0, 0, 0, 0, 0x01, 0x0C, 0x25, 0, 0x80, 0, 0, 0xE8, 0, 0, 0, 0, 0x5A, 0xFF, 0xC9, 0x75, 0xE8,
        0x0F, 0x0B
    };
    private static final int SUB = 0x29;
    private static final int RESULT = 0x8000;
    private static final int AFTER_LEA = 7;
    private static final int AFTER_CALL = 19;
    private static final int ROUNDS = 100;
    private static final int SUM = ROUNDS * (ROUNDS + 1) / 2;

    /// The steps of [#steps], and where in each the number is that it adds.
    private static final int STEPS = 40;

    private static final int STEP_BYTES = 16;
    private static final int STEP_NUMBER = 7;

    @TempDir
    private Path directory;

    private int sum;

    /// Adds 1 to [#RESULT] in each of many blocks that branch to each other, a hundred times.
    private static int[] steps() {
        int[] code = new int[STEPS * STEP_BYTES + 12];
        Arrays.fill(code, 0x90);
        for (int i = 0; i < STEPS; i++) {
            // addl $1, 0x8000; jmp to the next
            int[] step = {0x83, 0x04, 0x25, 0, 0x80, 0, 0, 1, 0xEB, STEP_BYTES - 10};
            System.arraycopy(step, 0, code, i * STEP_BYTES, step.length);
        }
        int end = STEPS * STEP_BYTES;
        int back = -end - 8;
        // dec ecx; jnz to the first; ud2
        int[] last = {0xFF, 0xC9, 0x0F, 0x85, back & 0xFF, back >> 8 & 0xFF, back >> 16 & 0xFF, back >> 24 & 0xFF};
        System.arraycopy(last, 0, code, end, last.length);
        code[end + 8] = 0x0F;
        code[end + 9] = 0x0B;
        return code;
    }

    @BeforeAll
    static void translated() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
    }

    private TranslatorCounters run(long rip, int changed) {
        return run(CODE, rip, changed);
    }

    /// Runs code, in which one byte may be another, with a new machine and translator; checks what [#CODE] does.
    private TranslatorCounters run(int[] code, long rip, int changed) {
        TranslatorSettings settings =
                TranslatorSettings.DEFAULT.withThreshold(2).withStore(Optional.of(directory));
        try (var machine = TestProcessor.long64()) {
            for (int i = 0; i < code.length; i++) {
                machine.memory.writeByte(rip + i, code[i]);
            }
            if (changed >= 0) {
                machine.memory.writeByte(rip + changed, SUB);
            }
            Cpu cpu = machine.cpu;
            cpu.rip = rip;
            cpu.r[Cpu.RCX] = ROUNDS;
            cpu.r[Cpu.RSP] = 0x9000;
            try (var translator = new Translator(cpu, Interpreter.features(cpu), settings)) {
                assertThat(new Interpreter(cpu, translator, settings).run()).isInstanceOf(RunResult.TripleFault.class);
                sum = machine.memory.readInt(RESULT);
                if (changed < 0 && code == CODE) {
                    assertThat(machine.memory.readInt(RESULT)).isEqualTo(SUM);
                    assertThat(cpu.r[Cpu.RAX]).isEqualTo(rip + AFTER_LEA);
                    assertThat(cpu.r[Cpu.RDX]).isEqualTo(rip + AFTER_CALL);
                }
                return translator.counters();
            }
        }
    }

    @Test
    void areCopiedInsteadOfMadeAgain() {
        TranslatorCounters first = run(TestProcessor.CODE, -1);
        assertThat(first.translated()).isPositive();
        TranslatorCounters second = run(TestProcessor.CODE, -1);
        assertThat(second.recalled()).isEqualTo(first.translated());
        assertThat(second.translated()).isZero();
    }

    @Test
    void areOfUseOnOtherPagesToo() {
        long made = run(TestProcessor.CODE, -1).translated();
        for (long rip : new long[] {0x5000, 0x3_4000, 0x1F_0000}) {
            TranslatorCounters moved = run(rip, -1);
            assertThat(moved.recalled()).as("at 0x%x", rip).isEqualTo(made);
        }
    }

    @Test
    void areNotUsedForOtherCode() {
        run(TestProcessor.CODE, -1);
        assertThat(run(TestProcessor.CODE, AFTER_LEA).translated()).isPositive();
    }

    @Test
    void neighboursComeAlongAndAreLinked() {
        TranslatorCounters first = run(steps(), TestProcessor.CODE, -1);
        assertThat(sum).isEqualTo(ROUNDS * STEPS);
        assertThat(first.translated()).isGreaterThan(STEPS / 2);
        assertThat(first.unlinked()).isGreaterThan(STEPS / 2);
        for (long rip : new long[] {TestProcessor.CODE, 0x5000}) {
            TranslatorCounters second = run(steps(), rip, -1);
            assertThat(sum).isEqualTo(ROUNDS * STEPS);
            assertThat(second.recalled()).isEqualTo(first.translated());
            assertThat(second.neighbours()).isGreaterThan(second.recalled() * 3 / 4);
            assertThat(second.unlinked()).isLessThan(STEPS / 8);
        }
    }

    @Test
    void neighboursOfOtherCodeStayAway() {
        TranslatorCounters first = run(steps(), TestProcessor.CODE, -1);
        for (int step = 0; step < STEPS; step += 7) {
            TranslatorCounters second = run(steps(), TestProcessor.CODE, step * STEP_BYTES + STEP_NUMBER);
            assertThat(sum).as("step %d", step).isEqualTo(ROUNDS * (STEPS - 1 + SUB));
            assertThat(second.translated()).isBetween(1L, 4L);
            assertThat(second.recalled()).isLessThan(first.translated());
        }
    }
}
