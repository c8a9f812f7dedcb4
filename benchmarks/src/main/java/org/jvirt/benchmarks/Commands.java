package org.jvirt.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The command lines of the rivals: the same machine for all.
final class Commands {
    static final String QEMU = "qemu-system-x86_64";
    private static final Path LAUNCHER = Path.of("jvirt");

    private Commands() {}

    static List<String> qemu(Path kernel, Path initrd, int vcpus, int memoryMib) {
        return List.of(
                QEMU,
                "-machine",
                "q35",
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-smp",
                Integer.toString(vcpus),
                "-m",
                Integer.toString(memoryMib),
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-serial",
                "stdio",
                "-no-reboot",
                "-kernel",
                kernel.toString(),
                "-initrd",
                initrd.toString(),
                "-append",
                GuestFiles.append());
    }

    static List<String> jvirt(List<String> program, String engine, Path kernel, Path initrd, int vcpus, int memoryMib) {
        var words = new ArrayList<>(program);
        words.addAll(List.of(
                "run",
                "--engine",
                engine,
                "--cpu",
                "max",
                "--cpus",
                Integer.toString(vcpus),
                "--memory",
                memoryMib + "M",
                "--no-reboot",
                "--kernel",
                kernel.toString(),
                "--initrd",
                initrd.toString(),
                "--append",
                GuestFiles.append()));
        return words;
    }

    /// Checks that QEMU is there.
    ///
    /// @return its version
    static String requireQemu() {
        try {
            return TimedProcess.run(List.of(QEMU, "--version"), Duration.ofSeconds(30))
                    .lines()
                    .getFirst()
                    .text();
        } catch (BenchmarkException e) {
            throw new BenchmarkException(
                    "No %s to compare with: install it with apt-get install qemu-system-x86".formatted(QEMU), e);
        }
    }

    /// The words that start jvirt: those given, else this directory's launcher, brought up to date first.
    static List<String> requireJvirt(List<String> given) {
        List<String> program = given;
        if (given.isEmpty()) {
            if (!Files.isExecutable(LAUNCHER)) {
                throw new BenchmarkException("There is no ./jvirt here: run from the repository's top directory");
            }
            program = List.of(LAUNCHER.toAbsolutePath().toString());
        }
        var version = new ArrayList<>(program);
        version.add("--version");
        TimedProcess run = TimedProcess.run(version, Duration.ofMinutes(15));
        if (run.exitCode() != 0) {
            throw new BenchmarkException("%s ended with %d:%n%s".formatted(version, run.exitCode(), run.text()));
        }
        return program;
    }
}
