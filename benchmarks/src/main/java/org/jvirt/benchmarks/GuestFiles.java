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

    /// How an init with programs of its own begins: all of busybox, the usual file systems, the kernel's modules.
    private static final String BEGIN = """
            #!/bin/busybox sh
            /bin/busybox --install -s
            export PATH=/usr/sbin:/usr/bin:/sbin:/bin
            mkdir -p /proc /sys /dev /mnt
            mount -t proc proc /proc
            mount -t sysfs sysfs /sys
            mount -t devtmpfs dev /dev
            for module in $(cat /modules/order); do insmod /modules/$module; done
            """;

    private static final Path SOURCE = Path.of("benchmarks/src/guest/bench.c");
    private static final Path PROGRAMS = Path.of("benchmarks/src/guest/programs.sh");
    private static final Path DISKS = Path.of("benchmarks/src/guest/disks.sh");
    private static final Path TIMED_SOURCE = Path.of("benchmarks/src/guest/timed.c");
    private static final String INIT = "bench-init";

    private final Path directory;
    private final DebianGuest debian;
    private final Path program;
    private final Path timed;

    private GuestFiles(Path directory, DebianGuest debian, Path program, Path timed) {
        this.directory = directory;
        this.debian = debian;
        this.program = program;
        this.timed = timed;
    }

    /// Compiles the program and fetches what is missing.
    static GuestFiles prepare(Path directory) {
        Path program = compile(SOURCE, directory.resolve("bench"));
        Path timed = compile(TIMED_SOURCE, directory.resolve("timed"));
        return new GuestFiles(
                directory, DebianGuest.of(DebianGuest.Flavour.CLOUD, System.err::println), program, timed);
    }

    private static Path compile(Path source, Path program) {
        if (!Files.exists(source)) {
            throw new BenchmarkException(
                    "There is no %s here: run from the repository's top directory".formatted(source));
        }
        List<String> compile = List.of("gcc", "-O2", "-static", "-o", program.toString(), source.toString());
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
        return program;
    }

    Path kernel() {
        return debian.kernel();
    }

    Path program() {
        return program;
    }

    /// Where translations are kept from run to run.
    Path codeCache() {
        return directory.resolve("code");
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
        return initrd(name, init);
    }

    /// An init that runs the programs of the Debian system on the first disk's first partition.
    Path programsInitrd() {
        String init = BEGIN + """
                mount -t ext4 /dev/vda1 /mnt
                mkdir -p /mnt/bench
                cp /bench-files/* /mnt/bench
                chmod 755 /mnt/bench/timed
                mount --bind /dev /mnt/dev
                mount -t proc proc /mnt/proc
                mount -t tmpfs tmpfs /mnt/tmp
                chroot /mnt /bin/sh /bench/programs.sh
                poweroff -f
                """;
        return initrd("programs", init);
    }

    /// An init that runs the fio of the first disk on the second.
    Path disksInitrd(int secondsEach) {
        String init = BEGIN + """
                mount -t ext4 -o ro /dev/vda /mnt
                mount --bind /dev /mnt/dev
                mount -t proc proc /mnt/proc
                mount -t sysfs sysfs /mnt/sys
                mount -t tmpfs tmpfs /mnt/tmp
                sh /bench-files/disks.sh %d
                poweroff -f
                """.formatted(secondsEach);
        return initrd("disks", init);
    }

    /// Puts what the programs need into `/bench` of a Debian system's root directory.
    void installPrograms(Path root) {
        try {
            Path bench = Files.createDirectories(root.resolve("bench"));
            Files.copy(PROGRAMS, bench.resolve("programs.sh"));
            Files.copy(SOURCE, bench.resolve("bench.c"));
            Files.copy(timed, bench.resolve("timed"));
        } catch (IOException e) {
            throw new BenchmarkException("Cannot install the programs below %s: %s".formatted(root, e), e);
        }
    }

    private Path initrd(String name, String init) {
        Path file = directory.resolve(name + ".initrd");
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            // Linux unpacks one archive after the other.
            Files.copy(debian.initrd(), out);
            try (var archive = new CpioArchive(out)) {
                archive.file("bench", 0755, Files.readAllBytes(program));
                archive.directory("bench-files", 0755);
                archive.file("bench-files/programs.sh", 0644, Files.readAllBytes(PROGRAMS));
                archive.file("bench-files/disks.sh", 0644, Files.readAllBytes(DISKS));
                archive.file("bench-files/bench.c", 0644, Files.readAllBytes(SOURCE));
                archive.file("bench-files/timed", 0755, Files.readAllBytes(timed));
                archive.file(INIT, 0755, init.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }
}
