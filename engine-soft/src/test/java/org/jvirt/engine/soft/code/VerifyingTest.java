package org.jvirt.engine.soft.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.engine.soft.translate.GuestFeatures;
import org.jvirt.engine.soft.translate.Translator;

/// The comparison of translations with the interpreter, on a translator that takes the guest's processor for one
/// that has LZCNT: where the guest's has not, its translations of LZCNT are wrong.
final class VerifyingTest {
    private static final TranslatorSettings VERIFYING =
            TranslatorSettings.DEFAULT.withThreshold(2).withVerification(TranslatorSettings.ALWAYS);
    private static final int RESULT = 0x8000;
    private static final int ROUNDS = 200;

    /// lzcnt eax, ebx; mov [0x8000], eax; xor eax, eax; dec ecx; jnz back; ud2
    private static final int[] STORED = {
        0xF3, 0x0F, 0xBD, 0xC3, 0x89, 0x04, 0x25, 0x00, 0x80, 0, 0, 0x31, 0xC0, 0xFF, 0xC9, 0x75, 0xEF, 0x0F, 0x0B
    };
    /// lzcnt eax, ebx; dec ecx; jnz back; ud2
    private static final int[] IN_REGISTER = {0xF3, 0x0F, 0xBD, 0xC3, 0xFF, 0xC9, 0x75, 0xF8, 0x0F, 0x0B};

    @BeforeAll
    static void translated() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
    }

    @Test
    void aWrongRegisterEndsTheGuestWithAReport() {
        assertThat(run(IN_REGISTER, false))
                .asInstanceOf(type(RunResult.Stuck.class))
                .satisfies(stuck -> assertThat(stuck.report())
                        .contains("block 0x1000", "* rax ", "before", "translated", "interpreted")
                        .contains("lzcnt eax,ebx", "host ", "dec ecx"));
    }

    @Test
    void aWrongStoreDoesToo() {
        assertThat(run(STORED, false))
                .asInstanceOf(type(RunResult.Stuck.class))
                .satisfies(stuck -> assertThat(stuck.report())
                        .contains("* memory       physical 0x8000: translated 0x17, interpreted 0x08")
                        .doesNotContain("* rax "));
    }

    @Test
    void rightTranslationsDoNot() {
        assertThat(run(STORED, true)).isInstanceOf(RunResult.TripleFault.class);
    }

    private static RunResult run(int[] code, boolean counts) {
        List<CpuFeature> features = Arrays.stream(CpuFeature.values())
                .filter(f -> counts || f != CpuFeature.ABM && f != CpuFeature.BMI1)
                .toList();
        try (var machine = TestProcessor.long64(TestProcessor.features(features))) {
            byte[] bytes = new byte[code.length];
            for (int i = 0; i < code.length; i++) {
                bytes[i] = (byte) code[i];
            }
            machine.memory.write(TestProcessor.CODE, bytes);
            Cpu cpu = machine.cpu;
            cpu.rip = TestProcessor.CODE;
            cpu.r[Cpu.RCX] = ROUNDS;
            cpu.r[Cpu.RBX] = 0x100;
            try (var translator = new Translator(cpu, new GuestFeatures(insn -> true, true), VERIFYING)) {
                RunResult result = new Interpreter(cpu, translator, VERIFYING).run();
                if (result instanceof RunResult.TripleFault) {
                    assertThat(machine.memory.readInt(RESULT)).isEqualTo(23);
                    assertThat(translator.counters().verified()).isGreaterThan(ROUNDS / 2);
                }
                return result;
            }
        }
    }
}
