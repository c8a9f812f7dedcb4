package org.jvirt.engine.soft.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.OpcodeTable;

/// Random instructions of every row of the opcode table do in the interpreter what they do on the host's processor:
/// registers, documented flags, memory, exceptions. In 64-bit code and, as a 32-bit program, in 32-bit code.
///
/// `-Djvirt.oracle.seed=N` and `-Djvirt.oracle.instructions=N` repeat or lengthen a run; a difference is printed
/// with the seed and number of its case.
class OracleTest {
    private static final long FIXED_SEED = 20_250_301;
    private static final long SHORT_RUN = 1_000_000;

    private static final BitSet ROWS_RAN = new BitSet();

    @BeforeAll
    static void hostIsX86() {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64"),
                "SKIPPED: the oracle is an x86-64 processor, this host has " + System.getProperty("os.arch"));
    }

    @AfterAll
    static void coverageOfBothCodeSizes() {
        int all = OpcodeTable.rows().size();
        System.out.printf(
                "oracle: 64-bit and 32-bit code together: %d of %d rows (%.1f %%) of the opcode table%n",
                ROWS_RAN.cardinality(), all, 100.0 * ROWS_RAN.cardinality() / all);
    }

    @Test
    void randomInstructionsOfAFixedSeedDoWhatTheHostDoes() throws IOException {
        compare(CodeSize.CODE64, Long.getLong("jvirt.oracle.seed", FIXED_SEED), SHORT_RUN / 2);
    }

    @Test
    void random32BitInstructionsOfAFixedSeedDoWhatTheHostDoes() throws IOException {
        compare(CodeSize.CODE32, Long.getLong("jvirt.oracle.seed", FIXED_SEED), SHORT_RUN / 4);
    }

    @Test
    void random32BitInstructionsOfARandomSeedDoWhatTheHostDoes() throws IOException {
        compare(CodeSize.CODE32, Long.getLong("jvirt.oracle.seed", System.nanoTime()), SHORT_RUN / 4);
    }

    @Test
    void randomInstructionsOfARandomSeedDoWhatTheHostDoes() throws IOException {
        compare(CodeSize.CODE64, Long.getLong("jvirt.oracle.seed", System.nanoTime()), SHORT_RUN / 2);
    }

    @Test
    @Tag("oracle")
    void aLongRunDoesWhatTheHostDoes() throws IOException {
        compare(
                CodeSize.CODE64,
                Long.getLong("jvirt.oracle.seed", System.nanoTime()),
                Long.getLong("jvirt.oracle.instructions", 100_000_000));
    }

    private static void compare(CodeSize codeSize, long seed, long instructions) throws IOException {
        // With LA57 more bases would be canonical than on a host without.
        var features = EnumSet.complementOf(EnumSet.of(CpuFeature.LA57));
        try (var comparison = new Comparison(codeSize, TestProcessor.features(List.copyOf(features)))) {
            comparison.run(seed, instructions);
            ROWS_RAN.or(comparison.ran());
            int all = OpcodeTable.rows().size();
            System.out.printf(
                    "oracle: %s, seed %d: %d instructions, %d faulted; %d of %d rows of the table (%.1f %%)%n",
                    codeSize,
                    seed,
                    comparison.executed(),
                    comparison.faults(),
                    comparison.ran().cardinality(),
                    all,
                    100.0 * comparison.ran().cardinality() / all);
            comparison
                    .leftOut()
                    .forEach((reason, rows) -> System.out.printf(
                            "oracle: %d rows left out, %s: %s%n",
                            rows.size(),
                            reason,
                            rows.stream()
                                    .map(r -> r.mnemonic().name())
                                    .distinct()
                                    .collect(Collectors.joining(" "))));
            assertThat(comparison.differing())
                    .as("mnemonics that differ from the host%n%s", comparison.report())
                    .isEmpty();
        }
    }
}
