package org.jvirt.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.cli.image.DebianImageBuilder;
import org.jvirt.cli.image.DebianImageRecipe;

/// A disk of Debian with the programs to be timed, kept in the user's cache.
///
/// @param disk a raw image whose first partition, at 1 MiB, is the root file system
record ProgramImage(Path disk) {
    /// Changes when the recipe changes.
    private static final int VERSION = 1;

    private static final long SIZE_BYTES = 4L << 30;
    private static final long PARTITION_BYTES = 1L << 20;
    private static final List<String> PACKAGES =
            List.of("gcc", "libc6-dev", "openssl", "python3-minimal", "sqlite3", "gzip", "xz-utils", "coreutils");

    /// Finds the image in the cache, or builds it: minutes, and on the interpreter many of them.
    ///
    /// @param given an image to use instead
    static ProgramImage of(Optional<Path> given, String engine) {
        Path disk = given.orElseGet(() -> DebianGuest.cacheDirectory().resolve("programs-%d.raw".formatted(VERSION)));
        if (!Files.exists(disk)) {
            try {
                Files.createDirectories(disk.toAbsolutePath().getParent());
            } catch (IOException e) {
                throw new BenchmarkException("Cannot make a place for %s: %s".formatted(disk, e), e);
            }
            var recipe = new DebianImageRecipe(
                    disk, SIZE_BYTES, "bookworm", PACKAGES, "bench", Optional.of("bench"), List.of(), engine);
            new DebianImageBuilder(recipe, System.err::println).build();
        }
        return new ProgramImage(disk);
    }

    /// Copies the root file system into a directory: the very programs that the guests run, for the host to run.
    void extract(Path directory) {
        List<String> command =
                List.of("debugfs", "-R", "rdump / " + directory, "%s?offset=%d".formatted(disk, PARTITION_BYTES));
        TimedProcess process;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new BenchmarkException("Cannot make %s: %s".formatted(directory, e), e);
        }
        try {
            process = TimedProcess.run(command, Duration.ofMinutes(5));
        } catch (BenchmarkException e) {
            throw new BenchmarkException("No debugfs: install it with apt-get install e2fsprogs", e);
        }
        if (process.exitCode() != 0 || !Files.isExecutable(directory.resolve("usr/bin/gcc"))) {
            throw new BenchmarkException("%s failed:%n%s".formatted(String.join(" ", command), process.text()));
        }
    }
}
