package org.jvirt.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.jvirt.benchmarks.Rival.Work;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./build bench`.
@Command(
        name = "./build bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        separator = " ",
        description = {
            "Measures jvirt side by side with the host itself and with QEMU's translator, in turns.",
            "What each kernel measures, and results, are in benchmarks/README.md."
        })
public final class Main implements Runnable {
    /// What can be measured.
    enum Mode {
        /// The kernels of the benchmark program.
        compute,
        /// From power-on to user space.
        boot,
        /// A whole process around three guest instructions.
        start,
        /// Guest instructions a second.
        mips,
        /// What Java adds to an exit of KVM.
        exits,
        /// Debian's own programs in a Debian system.
        programs,
        /// From power-on to the login prompt of Debian with systemd.
        systemd,
        /// What a process takes of the host's memory beside its guest's RAM.
        memory,
        /// Work on disk images, and on served ones.
        images,
        /// fio on the disk of a guest.
        disks
    }

    private static final List<String> KERNELS = List.of(
            "mips",
            "crc32",
            "sieve",
            "fib",
            "sort",
            "tree",
            "chase",
            "dgemm",
            "repmovs",
            "ssecopy",
            "syscall",
            "fork",
            "pagefault");

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "WHAT",
            description =
                    "compute, boot, start, mips, exits, programs, systemd, memory, images or disks (the first three).")
    private List<Mode> modes = List.of();

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3", description = "Turns (${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--scale",
            paramLabel = "PERCENT",
            defaultValue = "10",
            description = "How much of the full work to do (${DEFAULT-VALUE}).")
    private int scale;

    @Option(
            names = "--jvirt-scale",
            paramLabel = "PERCENT",
            description = "Another amount for jvirt. Ratios are against native runs of the same amount.")
    private @Nullable Integer jvirtScale;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            split = ",",
            description = "Which kernels (all; for mips: mips, crc32, sieve, fib).")
    private List<String> kernels = List.of();

    @Option(names = "--vcpus", paramLabel = "N", defaultValue = "1", description = "Processors (${DEFAULT-VALUE}).")
    private int vcpus;

    @Option(names = "--memory", paramLabel = "MIB", defaultValue = "512", description = "RAM (${DEFAULT-VALUE}).")
    private int memoryMib;

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            defaultValue = "soft",
            description = "jvirt's engine (${DEFAULT-VALUE}).")
    private String engine = "";

    @Option(names = "--jvirt", paramLabel = "COMMAND", description = "Another jvirt than ./jvirt: a command line.")
    private @Nullable String jvirt;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description = "A raw Debian disk for programs and systemd (one built once and kept in the cache).")
    private @Nullable Path image;

    @Option(
            names = "--exits",
            paramLabel = "N",
            defaultValue = "200000",
            description = "How many exits to count in a round of exits (${DEFAULT-VALUE}).")
    private long exits;

    @Option(
            names = "--exits-program",
            paramLabel = "FILE",
            description = "benchmarks/src/guest/exits.c, compiled, for hosts without gcc.")
    private @Nullable Path exitsProgram;

    @Option(
            names = "--image-size",
            paramLabel = "MB",
            defaultValue = "2048",
            description = "The disk for images (${DEFAULT-VALUE}); disks takes an eighth of it.")
    private int imageMegabytes;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How long each job of disks takes (${DEFAULT-VALUE}).")
    private int secondsEach;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Main())
                .setExecutionExceptionHandler((exception, line, _) -> {
                    if (exception instanceof BenchmarkException) {
                        line.getErr().println("bench: " + exception.getMessage());
                        return 1;
                    }
                    throw exception;
                })
                .execute(arguments));
    }

    @Override
    public void run() {
        checkKernels();
        List<Mode> chosen = modes.isEmpty() ? List.of(Mode.compute, Mode.boot, Mode.start) : modes;
        PrintWriter out = spec.commandLine().getOut();
        Path directory;
        try {
            directory = Files.createTempDirectory("jvirt-bench");
        } catch (IOException e) {
            throw new BenchmarkException("Cannot make a directory for the guests' files: " + e.getMessage(), e);
        }
        try {
            out.println(surroundings());
            for (Mode mode : chosen) {
                out.printf("%n%s%n", measure(mode, directory, out));
                out.flush();
            }
        } finally {
            delete(directory);
        }
    }

    private void checkKernels() {
        for (String kernel : kernels) {
            if (!KERNELS.contains(kernel)) {
                throw new BenchmarkException(
                        "There is no kernel '%s'; there are %s".formatted(kernel, String.join(", ", KERNELS)));
            }
        }
        if (rounds < 1 || scale < 1 || Optional.ofNullable(jvirtScale).orElse(1) < 1) {
            throw new BenchmarkException("--rounds and the scales begin at 1");
        }
    }

    private String measure(Mode mode, Path directory, PrintWriter out) {
        return switch (mode) {
            case compute -> {
                Commands.requireQemu();
                var race = new ComputeRace(
                        GuestFiles.prepare(directory),
                        new Rival.Qemu(),
                        work(scale),
                        new Rival.Jvirt(program(), engine),
                        work(Optional.ofNullable(jvirtScale).orElse(scale)),
                        out);
                race.run(rounds);
                yield race.table();
            }
            case boot -> {
                Commands.requireQemu();
                yield BootRace.run(GuestFiles.prepare(directory), program(), engine, vcpus, memoryMib, rounds, out);
            }
            case start -> {
                Commands.requireQemu();
                yield StartRace.run(directory, program(), Math.max(rounds, 5));
            }
            case mips ->
                InstructionRate.run(
                        GuestFiles.prepare(directory),
                        engine,
                        kernels.isEmpty() ? List.of("mips", "crc32", "sieve", "fib") : kernels,
                        scale,
                        rounds,
                        memoryMib);
            case exits -> ExitRace.run(directory, exitsProgram, exits, rounds);
            case programs -> {
                Commands.requireQemu();
                yield programs(directory, out);
            }
            case systemd -> {
                Commands.requireQemu();
                yield SystemdRace.run(image().disk(), program(), engine, vcpus, memoryMib, rounds, out);
            }
            case memory -> {
                Commands.requireQemu();
                var race = new MemoryRace(program(), engine, vcpus, memoryMib, rounds, out);
                yield race.run(GuestFiles.prepare(directory), image().disk());
            }
            case images ->
                ImageRace.run(directory, program(), imageMegabytes, rounds)
                        + "\n"
                        + NbdRace.run(directory, program(), rounds);
            case disks -> {
                Commands.requireQemu();
                var race = new DiskRace(directory, program(), engine, vcpus, memoryMib, secondsEach, out);
                int megabytes = imageMegabytes / 8;
                yield race.run("raw", megabytes, rounds) + "\n" + race.run("qcow2", megabytes, rounds);
            }
        };
    }

    private ProgramImage image() {
        return ProgramImage.of(Optional.ofNullable(image), engine);
    }

    private String programs(Path directory, PrintWriter out) {
        ProgramImage image = image();
        GuestFiles files = GuestFiles.prepare(directory);
        Path root = directory.resolve("root");
        image.extract(root);
        files.installPrograms(root);
        Path initrd = files.programsInitrd();
        var race = new ProgramRace(
                List.of(
                        new ProgramRival.Native(root),
                        new ProgramRival.Guest(
                                "QEMU",
                                Commands.qemu(files.kernel(), initrd, vcpus, memoryMib),
                                List.of("-drive", "file=" + image.disk() + ",format=raw,if=virtio,snapshot=on")),
                        new ProgramRival.Guest(
                                "jvirt",
                                Commands.jvirt(program(), engine, files.kernel(), initrd, vcpus, memoryMib),
                                List.of("--disk", "file=" + image.disk() + ",snapshot=on"))),
                out);
        race.run(rounds);
        return race.table();
    }

    private Work work(int amount) {
        // The program runs its kernels in its own order, whatever the order of the names.
        List<String> names = kernels.isEmpty()
                ? KERNELS
                : KERNELS.stream().filter(kernels::contains).toList();
        return new Work(amount, names, vcpus, memoryMib);
    }

    private List<String> program() {
        return Commands.requireJvirt(
                jvirt == null ? List.of() : Arrays.asList(jvirt.strip().split("\\s+", -1)));
    }

    /// What a result is worth nothing without.
    private static String surroundings() {
        return "%s, %d processors, Linux %s, JDK %s%s"
                .formatted(
                        processor(),
                        Runtime.getRuntime().availableProcessors(),
                        System.getProperty("os.version"),
                        Runtime.version(),
                        qemuVersion());
    }

    private static String qemuVersion() {
        try {
            return ", " + Commands.requireQemu();
        } catch (BenchmarkException e) {
            return ", no QEMU";
        }
    }

    private static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown processor");
        } catch (IOException e) {
            return "unknown processor";
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new BenchmarkException("Cannot remove %s: %s".formatted(directory, e.getMessage()), e);
        }
    }
}
