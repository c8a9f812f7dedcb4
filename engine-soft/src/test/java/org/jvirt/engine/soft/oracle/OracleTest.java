package org.jvirt.engine.soft.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.OpcodeTable;

/// Random instructions of every row of the opcode table do in the interpreter what they do on the host's processor:
/// registers, documented flags, memory, exceptions.
///
/// `-Djvirt.oracle.seed=N` and `-Djvirt.oracle.instructions=N` repeat or lengthen a run; a difference is printed with
/// the seed and number of its case.
class OracleTest {
    private static final long FIXED_SEED = 20_250_301;
    private static final long SHORT_RUN = 1_000_000;

    @BeforeAll
    static void hostIsX86() {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64"),
                "SKIPPED: the oracle is an x86-64 processor, this host has " + System.getProperty("os.arch"));
    }

    @Test
    void randomInstructionsOfAFixedSeedDoWhatTheHostDoes() throws IOException {
        compare(Long.getLong("jvirt.oracle.seed", FIXED_SEED), SHORT_RUN / 2);
    }

    @Test
    void randomInstructionsOfARandomSeedDoWhatTheHostDoes() throws IOException {
        compare(Long.getLong("jvirt.oracle.seed", System.nanoTime()), SHORT_RUN / 2);
    }

    @Test
    @Tag("oracle")
    void aLongRunDoesWhatTheHostDoes() throws IOException {
        compare(
                Long.getLong("jvirt.oracle.seed", System.nanoTime()),
                Long.getLong("jvirt.oracle.instructions", 100_000_000));
    }

    private static void compare(long seed, long instructions) throws IOException {
        // With LA57 more bases would be canonical than on a host without.
        var features = EnumSet.complementOf(EnumSet.of(CpuFeature.LA57));
        try (var comparison = new Comparison(TestProcessor.features(List.copyOf(features)))) {
            comparison.run(seed, instructions);
            int all = OpcodeTable.rows().size();
            System.out.printf(
                    "oracle: seed %d: %d instructions, %d of them faulted; %d of %d rows (%.1f %%) of the opcode table%n",
                    seed,
                    comparison.executed(),
                    comparison.faults(),
                    comparison.rows().size(),
                    all,
                    100.0 * comparison.rows().size() / all);
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
