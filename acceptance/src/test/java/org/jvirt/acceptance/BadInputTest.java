package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What users get wrong, each with one line that says so and an exit code; and guests that go wrong.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class BadInputTest {
    private static final int USER_ERROR = 64;
    private static final int TRIPLE_FAULT = 70;

    @TempDir
    private static Path directory;

    private String kernel = "";

    @BeforeAll
    void writeKernel() {
        kernel = Kernels.exiting(directory.resolve("kernel"), 0).toString();
    }

    private Stream<Arguments> wrongUses() throws IOException {
        Path text = Files.writeString(directory.resolve("notes.txt"), "This is no kernel.\n".repeat(100));
        Path empty = Files.createFile(directory.resolve("empty.img"));
        Path large = DiskFile.create(directory.resolve("large.initrd"), 80 << 20, "");
        Path odd = DiskFile.create(directory.resolve("odd.img"), 1000, "");
        String absent = directory.resolve("absent").toString();
        return Stream.of(
                wrong("There is no kernel '%s'".formatted(absent), "--kernel", absent),
                wrong("The kernel '%s' is not a file".formatted(directory), "--kernel", directory.toString()),
                wrong("is not a kernel: it is neither", "--kernel", text.toString()),
                wrong("; it is a text file", "--kernel", text.toString()),
                wrong("There is no initrd", "--kernel", kernel, "--initrd", absent),
                wrong("large.initrd' has 80 MiB", "--kernel", kernel, "--memory", "64M", "--initrd", large.toString()),
                wrong("too small for a PC: give at least", "--kernel", kernel, "--memory", "0"),
                wrong("too small for a PC: give at least", "--kernel", kernel, "--memory", "1K"),
                wrong("is more than the 768 GiB", "--kernel", kernel, "--memory", "1P"),
                wrong("--memory: 'much' is not a size", "--kernel", kernel, "--memory", "much"),
                wrong("--memory: '-1G' is not a size", "--kernel", kernel, "--memory", "-1G"),
                wrong("1 to 255 CPUs, not 0", "--kernel", kernel, "--cpus", "0"),
                wrong("1 to 255 CPUs, not 300", "--kernel", kernel, "--cpus", "300"),
                wrong("'two' is not an int", "--kernel", kernel, "--cpus", "two"),
                wrong("pentium", "--kernel", kernel, "--cpu", "pentium"),
                wrong("Unknown engine 'turbo'", "--kernel", kernel, "--engine", "turbo"),
                wrong("Unknown option", "--kernel", kernel, "--memroy", "1G"),
                wrong("Possible solutions: --memory", "--kernel", kernel, "--memroy", "1G"),
                wrong("Unknown serial line 'telegraph'", "--kernel", kernel, "--serial", "telegraph"),
                wrong("--debian: there is 'cloud' and 'full', not 'hurd'", "--debian", "hurd"),
                wrong("absent: there is no such file", "--kernel", kernel, "--disk", absent),
                wrong("it is a directory", "--kernel", kernel, "--disk", directory.toString()),
                wrong("it is empty; give it a size", "--kernel", kernel, "--disk", empty.toString()),
                wrong(
                        "as qcow2: it does not begin with",
                        "--kernel",
                        kernel,
                        "--disk",
                        "file=" + odd + ",format=qcow2"),
                wrong("'colour' is not supported", "--kernel", kernel, "--disk", "file=" + odd + ",colour=red"));
    }

    private static Arguments wrong(String message, String... options) {
        return Arguments.of(message, options);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("wrongUses")
    void wrongUseIsToldInOneLineWithItsExitCode(String message, String[] options) throws InterruptedException {
        var words = Stream.concat(Stream.of("run"), Stream.of(options)).toArray(String[]::new);
        Jvirt.Outcome outcome = Jvirt.run(words);
        assertThat(outcome.err()).contains(message).startsWith("jvirt: ").doesNotContain("\tat ");
        assertThat(outcome.err().lines()).hasSizeLessThanOrEqualTo(3);
        assertThat(outcome.exitCode()).isEqualTo(USER_ERROR);
    }

    @Test
    void aDiskThatMayNotBeWrittenIsRefusedAndServesReadOnly() throws InterruptedException, IOException {
        Path disk = DiskFile.create(directory.resolve("readonly.img"), 1 << 20, "");
        assertThat(disk.toFile().setWritable(false)).isTrue();
        // root writes where it likes, but not to this.
        Path refusing = Files.isWritable(disk) ? Path.of("/sys/kernel/notes") : disk;
        Jvirt.Outcome outcome = Jvirt.run("run", "--kernel", kernel, "--disk", refusing.toString());
        assertThat(outcome.err()).contains("Cannot open disk " + refusing).containsIgnoringCase("read-only");
        assertThat(outcome.exitCode()).isEqualTo(USER_ERROR);
        Path reset = Kernels.resetting(directory.resolve("resetting"));
        Jvirt.Outcome readOnly = Jvirt.run(
                "run", "--kernel", reset.toString(), "--no-reboot", "--disk", "file=" + disk + ",readonly=on");
        assertThat(readOnly.exitCode()).as(readOnly.err()).isZero();
    }

    @Test
    void aTripleFaultHasItsExitCodeAndAReport() throws InterruptedException {
        Path faulting = Kernels.tripleFaulting(directory.resolve("faulting"));
        Jvirt.Outcome outcome = Jvirt.run("run", "--kernel", faulting.toString(), "--memory", "16M");
        assertThat(outcome.exitCode()).isEqualTo(TRIPLE_FAULT);
        assertThat(outcome.err())
                .contains("jvirt: CPU 0 shut down (triple fault) at 0x100067")
                .doesNotContain("\tat ");
    }

    @Test
    void aGuestThatJumpsIntoNowhereEndsAsATripleFault() throws InterruptedException {
        Path lost = Kernels.jumpingIntoNowhere(directory.resolve("lost"));
        Jvirt.Outcome outcome = Jvirt.run("run", "--kernel", lost.toString(), "--memory", "16M");
        assertThat(outcome.err()).contains("jvirt: CPU 0 ", "0xd0000000").doesNotContain("\tat ");
        assertThat(outcome.exitCode()).isEqualTo(TRIPLE_FAULT);
    }

    @Test
    void aGuestGoesOnWhenNobodyReadsItsConsole() throws InterruptedException, IOException {
        Path chattering = Kernels.chattering(directory.resolve("chattering"), 200_000);
        try (Jvirt jvirt = Jvirt.start(
                "qemu-system-x86_64",
                "-nographic",
                "-kernel",
                chattering.toString(),
                "-device",
                "isa-debug-exit,iobase=0xf4")) {
            jvirt.closeOutput();
            jvirt.type("!");
            assertThat(jvirt.exitCode(Duration.ofMinutes(1))).isEqualTo(7);
        }
    }

    @Test
    void aConsoleWhoseInputEndsStillShowsOutput() throws InterruptedException {
        Path echoing = Kernels.echoing(directory.resolve("echoing"));
        try (Jvirt jvirt = Jvirt.start("run", "--kernel", echoing.toString(), "--memory", "16M")) {
            jvirt.expect("R\n", Jvirt.PATIENCE);
            jvirt.type("abc");
            jvirt.closeInput();
            assertThat(jvirt.expect("ABC", Jvirt.PATIENCE)).isEqualTo("ABC");
        }
    }
}
