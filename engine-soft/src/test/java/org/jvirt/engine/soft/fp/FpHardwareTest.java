package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compares fresh random instructions with this host's processor, by way of a small C program.
class FpHardwareTest {
    private static final long RECORDS = Long.getLong("jvirt.fp.records", 200_000);
    private static final long SEED =
            Long.getLong("jvirt.fp.seed", ThreadLocalRandom.current().nextLong(1L << 40));

    @TempDir
    Path directory;

    @Test
    void randomSseOperationsEqualTheProcessors() throws Exception {
        assumeTrue(
                cpuinfo().contains(" fma ") && cpuinfo().contains(" f16c "),
                "SKIPPED: the comparison needs an x86-64 processor with FMA and F16C");
        Process oracle = start("sse");
        FpRecords records = FpRecords.sse(oracle.getInputStream());
        assertThat(oracle.waitFor()).as("exit code of fp-oracle").isZero();
        assertThat(records.failures()).as("seed %d", SEED).isEmpty();
        assertThat(records.count()).isEqualTo(RECORDS);
    }

    @Test
    void randomX87InstructionsEqualTheProcessors() throws Exception {
        assumeTrue(
                cpuinfo().contains("AuthenticAMD"),
                "SKIPPED: where the manuals leave x87 results open, this code follows AMD's processors");
        Process oracle = start("x87");
        FpRecords records = FpRecords.x87(oracle.getInputStream());
        assertThat(oracle.waitFor()).as("exit code of fp-oracle").isZero();
        assertThat(records.failures()).as("seed %d", SEED).isEmpty();
        assertThat(records.count()).isEqualTo(RECORDS);
    }

    private Process start(String unit) throws IOException, InterruptedException {
        Path source = directory.resolve("fp-oracle.c");
        try (InputStream in = Objects.requireNonNull(
                FpHardwareTest.class.getResourceAsStream("fp-oracle.c"), "missing test resource fp-oracle.c")) {
            Files.copy(in, source);
        }
        Path program = directory.resolve("fp-oracle");
        Process gcc;
        try {
            gcc = new ProcessBuilder("gcc", "-O1", "-o", program.toString(), source.toString())
                    .inheritIO()
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "SKIPPED: no gcc (" + e.getMessage() + "). Install it: apt-get install gcc libc6-dev");
            throw e;
        }
        assertThat(gcc.waitFor()).as("exit code of gcc").isZero();
        return new ProcessBuilder(program.toString(), unit, Long.toString(SEED), Long.toString(RECORDS))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String cpuinfo() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        return Files.isReadable(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
    }
}
