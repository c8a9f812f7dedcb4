package org.jvirt.benchmarks;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jvirt.cli.debian.CpioArchive;
import org.jvirt.cli.debian.DebianGuest;

/// The program to run, Debian's cloud kernel, and initial RAM disks that run the program and switch off.
final class GuestFiles {
    /// What the first user-space program prints when it begins.
    static final String USER_SPACE = "jvirt-bench: user space";
    /// What it prints when the program has ended well.
    static final String FINISHED = "jvirt-bench: finished";

    private static final Path SOURCE = Path.of("benchmarks/src/guest/bench.c");
    private static final String INIT = "bench-init";

    private final Path directory;
    private final DebianGuest debian;
    private final Path program;

    private GuestFiles(Path directory, DebianGuest debian, Path program) {
        this.directory = directory;
        this.debian = debian;
        this.program = program;
    }

    /// Compiles the program and fetches what is missing.
    static GuestFiles prepare(Path directory) {
        if (!Files.exists(SOURCE)) {
            throw new BenchmarkException(
                    "There is no %s here: run from the repository's top directory".formatted(SOURCE));
        }
        Path program = directory.resolve("bench");
        List<String> compile = List.of("gcc", "-O2", "-static", "-o", program.toString(), SOURCE.toString());
        TimedProcess compiler;
        try {
            compiler = TimedProcess.run(compile, Duration.ofMinutes(2));
        } catch (BenchmarkException e) {
            throw new BenchmarkException("No gcc: install it with apt-get install gcc libc6-dev", e);
        }
        if (compiler.exitCode() != 0) {
            throw new BenchmarkException("%s failed (libc6-dev has the static library):%n%s"
                    .formatted(String.join(" ", compile), compiler.text()));
        }
        return new GuestFiles(directory, DebianGuest.of(DebianGuest.Flavour.CLOUD, System.err::println), program);
    }

    Path kernel() {
        return debian.kernel();
    }

    Path program() {
        return program;
    }

    /// The kernel's words that go with [#initrd].
    static String append() {
        return "console=ttyS0 quiet panic=-1 rdinit=/" + INIT;
    }

    /// Debian's busybox and the program, behind an init that runs it.
    ///
    /// @param arguments of the program; empty to run nothing
    Path initrd(String name, List<String> arguments) {
        String run = arguments.isEmpty() ? "true" : "/bench " + String.join(" ", arguments);
        String init = """
                #!/bin/busybox sh
                echo %s
                %s && echo %s
                /bin/busybox poweroff -f
                """.formatted(USER_SPACE, run, FINISHED);
        Path file = directory.resolve(name + ".initrd");
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            // Linux unpacks one archive after the other.
            Files.copy(debian.initrd(), out);
            try (var archive = new CpioArchive(out)) {
                archive.file("bench", 0755, Files.readAllBytes(program));
                archive.file(INIT, 0755, init.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }
}
