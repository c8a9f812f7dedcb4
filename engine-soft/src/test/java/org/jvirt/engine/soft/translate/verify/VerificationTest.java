package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.Hypervisor;
import org.jvirt.engine.soft.SoftHypervisor;

/// Random programs do on the translator what they do on the interpreter: registers, memory, page tables, faults,
/// accesses to devices.
///
/// `-Djvirt.verify.seed=N` and `-Djvirt.verify.programs=N` repeat or lengthen a run.
class VerificationTest {
    private static final long FIXED_SEED = 20_261_121;
    private static final long RANDOM_SEED = System.nanoTime();
    private static final int PROGRAMS = 1_100;
    private static final int INTERRUPTED_PROGRAMS = 200;
    private static final int ONE_KIND_PROGRAMS = 250;
    private static final int VERIFYING_PROGRAMS = 100;
    private static final int RECALLING_PROGRAMS = 150;
    private static final int LONG_RUN = 400_000;
    private static final int ENTRIES = 48;
    private static final int MOST_REPORTS = 4;

    /// Mostly everything is translated at once; sometimes the interpreter goes first.
    private static final int[] THRESHOLDS = {0, 0, 1, 5};

    private final AtomicInteger machines = new AtomicInteger();

    private Hypervisor translator() {
        int number = machines.getAndIncrement();
        return Engines.translator(THRESHOLDS[number % THRESHOLDS.length]);
    }

    private interface Run {
        Optional<String> of(Verifier verifier, long seed);
    }

    private Verifier verify(long seed, long programs, Run run) {
        return verify(seed, programs, this::translator, run);
    }

    private static Verifier verify(long seed, long programs, Supplier<Hypervisor> engine, Run run) {
        var seeds = new SplittableRandom(Long.getLong("jvirt.verify.seed", seed));
        long count = Long.getLong("jvirt.verify.programs", programs);
        List<String> reports = new ArrayList<>();
        var verifier = new Verifier(Engines::interpreter, engine);
        try (verifier) {
            for (long i = 0; i < count && reports.size() < MOST_REPORTS; i++) {
                run.of(verifier, seeds.nextLong()).ifPresent(reports::add);
            }
        }
        System.out.printf("verification, seed %d: %s%n", seed, verifier.statistics());
        if (!reports.isEmpty()) {
            fail(String.join("\n", reports));
        }
        return verifier;
    }

    @Test
    void randomProgramsOfAFixedSeedDoTheSame() {
        Verifier verifier = verify(FIXED_SEED, PROGRAMS, (v, seed) -> v.run(seed, ENTRIES));
        if (SoftHypervisor.isTranslatorPossible() && Long.getLong("jvirt.verify.programs") == null) {
            assertThat(verifier.instructions()).isGreaterThan(2_300_000);
        }
    }

    @Test
    void randomProgramsOfARandomSeedDoTheSame() {
        verify(RANDOM_SEED, PROGRAMS, (v, seed) -> v.run(seed, ENTRIES));
    }

    /// Register stack, status and pointers, with what is native and what is not in every order.
    @ParameterizedTest
    @EnumSource(names = {"X87", "MMX", "STRING"})
    void programsOfOneKindDoTheSame(Profile profile) {
        verify(RANDOM_SEED, ONE_KIND_PROGRAMS, (v, seed) -> v.run(seed, ENTRIES, profile));
    }

    @Test
    void programsOf32BitCodeDoTheSame() {
        verify(RANDOM_SEED, ONE_KIND_PROGRAMS, (v, seed) -> v.run32(seed, ENTRIES));
    }

    @Test
    void interruptedProgramsDoTheSame() {
        Verifier verifier = verify(RANDOM_SEED, INTERRUPTED_PROGRAMS, (v, seed) -> v.runInterrupted(seed, ENTRIES));
        assertThat(verifier.interrupts()).isGreaterThan(100);
    }

    @Test
    void aTranslatorThatVerifiesItselfFindsNothing() {
        verify(RANDOM_SEED, VERIFYING_PROGRAMS, Engines::verifying, (v, seed) -> v.run(seed, ENTRIES));
    }

    /// The same programs three times on new machines: what the first has translated, the others find.
    @Test
    void recalledTranslationsDoTheSame(@TempDir Path store) throws IOException {
        for (int i = 0; i < 3; i++) {
            verify(RANDOM_SEED, RECALLING_PROGRAMS, () -> Engines.recalling(store), (v, seed) -> v.run(seed, ENTRIES));
        }
        if (SoftHypervisor.isTranslatorPossible()) {
            try (Stream<Path> files = Files.list(store)) {
                assertThat(Files.size(files.findFirst().orElseThrow())).isGreaterThan(20_000);
            }
        }
    }

    /// Flags that nobody looks at are no difference: when a device ends the program in the middle of an
    /// instruction, and when the program has written on itself.
    @ParameterizedTest
    @ValueSource(longs = {-3492372439492100033L, 331986432574185659L, 126267742229235529L})
    void programsWhoseDeadFlagsDifferDoTheSame(long seed) {
        try (var verifier = new Verifier(Engines::interpreter, this::translator)) {
            assertThat(verifier.run(seed, ENTRIES)).isEmpty();
        }
    }

    @Test
    @Tag("oracle")
    void manyRandomProgramsDoTheSame() {
        verify(RANDOM_SEED, LONG_RUN, (v, seed) -> v.run(seed, ENTRIES));
    }
}
