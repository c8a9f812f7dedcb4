package org.jvirt.engine.soft.translate.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Hypervisor;

/// Runs random programs on two engines and compares all that they leave behind. Not thread-safe.
///
/// `-Djvirt.verify.trace=FILE` notes each program's seed before it runs: the last one is the program that brought
/// down the Java machine, if one has.
final class Verifier implements AutoCloseable {
    /// Machines are made anew now and then: code caches of many programs, and of few, are tried.
    private static final int PROGRAMS_FOR_EACH_MACHINE = 40;
    /// One of so many is an older processor.
    private static final int OLD_MACHINES = 4;
    /// What the kernel executes for each entry state.
    private static final int KERNEL_INSTRUCTIONS = 96;

    private static final Duration REFERENCE_LIMIT = Duration.ofSeconds(2);
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Supplier<Hypervisor> reference;
    private final Supplier<Hypervisor> tested;
    private final @Nullable String trace = System.getProperty("jvirt.verify.trace");
    private @Nullable Machine expected;
    private @Nullable Machine actual;
    private int programs;
    private boolean old;
    private long instructions;
    private long interrupts;
    private long overhead;
    private long entries;
    private int endless;
    private final Map<CodeKind, Integer> kinds = new EnumMap<>(CodeKind.class);
    private final TreeMap<Long, Integer> vectors = new TreeMap<>();

    Verifier(Supplier<Hypervisor> reference, Supplier<Hypervisor> tested) {
        this.reference = reference;
        this.tested = tested;
    }

    /// Runs the program of a seed; answers a report when the outcomes differ.
    Optional<String> run(long seed, int entryCount) {
        return run(ProgramGenerator.program(seed, entryCount));
    }

    /// As [#run(long, int)], for a program mostly made of one kind.
    Optional<String> run(long seed, int entryCount, Profile profile) {
        return run(ProgramGenerator.program(seed, entryCount, profile));
    }

    /// As [#run(long, int)], for 32-bit code.
    Optional<String> run32(long seed, int entryCount) {
        return run(ProgramGenerator.program32(seed, entryCount));
    }

    /// As [#run(long, int)], but the tested engine is interrupted again and again.
    Optional<String> runInterrupted(long seed, int entryCount) {
        return run(ProgramGenerator.program(seed, entryCount).interruptedAtRandom());
    }

    private Optional<String> run(Program program) {
        if (programs++ % PROGRAMS_FOR_EACH_MACHINE == 0) {
            close();
            old = programs / PROGRAMS_FOR_EACH_MACHINE % OLD_MACHINES == OLD_MACHINES - 1;
        }
        kinds.merge(program.kind(), 1, Integer::sum);
        note(program.seed());
        Differences differences = compare(program);
        if (differences.none()) {
            return Optional.empty();
        }
        return Optional.of(new Shrinker(this, program, differences).report());
    }

    private void note(long seed) {
        if (trace != null) {
            try {
                Files.writeString(Path.of(trace), seed + "\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Runs one program on the machines that are there.
    Differences compare(Program program) {
        Code code = new Code(program);
        if (expected == null || actual == null) {
            expected = new Machine(reference.get(), old);
            actual = new Machine(tested.get(), old);
        }
        Outcome one = expected.run(program.undisturbed(), code, REFERENCE_LIMIT);
        if (one.result().isEmpty()) {
            // by chance an endless loop
            endless++;
            return new Differences(code, one, one);
        }
        Outcome other = actual.run(program, code, LIMIT);
        count(program, one);
        return new Differences(code, one, other);
    }

    private void count(Program program, Outcome outcome) {
        instructions += outcome.instructions();
        entries += program.entries().count();
        overhead += program.entries().count() * (long) KERNEL_INSTRUCTIONS;
        var log = ByteBuffer.wrap(outcome.log()).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < outcome.log().length; at += Slot.BYTES) {
            vectors.merge(log.getLong(at + Slot.VECTOR), 1, Integer::sum);
        }
    }

    /// On machines that have run nothing else.
    Differences compareAfresh(Program program) {
        close();
        return compare(program);
    }

    /// Random instructions executed, without the kernel's.
    long instructions() {
        return instructions - overhead;
    }

    /// How many interrupts the tested engine has taken, apart from the machine that runs now.
    long interrupts() {
        return interrupts;
    }

    String statistics() {
        return String.format(
                Locale.ROOT,
                "%d programs %s, entered %d times, %d instructions without the kernel's; %d endless; ended by %s",
                programs,
                kinds,
                entries,
                instructions(),
                endless,
                vectors);
    }

    @Override
    public void close() {
        if (expected != null) {
            expected.close();
            expected = null;
        }
        if (actual != null) {
            interrupts += actual.interrupts();
            actual.close();
            actual = null;
        }
    }
}
