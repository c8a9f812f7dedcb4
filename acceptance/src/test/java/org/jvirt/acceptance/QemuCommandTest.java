package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `jvirt qemu-system-x86_64`, for scripts that were written for QEMU.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class QemuCommandTest {
    private static final int USER_ERROR = 64;

    @TempDir
    private static Path directory;

    private static Jvirt.Outcome qemu(String... options) throws InterruptedException {
        return Jvirt.run(Stream.concat(Stream.of("qemu-system-x86_64"), Stream.of(options))
                .toArray(String[]::new));
    }

    private String exiting = "";

    @BeforeAll
    void writeKernel() {
        exiting = Kernels.exiting(directory.resolve("exiting"), 0x10).toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 0x31, 0x7f})
    void theDebugExitGivesTwiceTheValuePlusOne(int value) throws InterruptedException {
        Path kernel = Kernels.exiting(directory.resolve("exiting-" + value), value);
        Jvirt.Outcome outcome = qemu(
                "-nodefaults",
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=0x4",
                "-display",
                "none",
                "-kernel",
                kernel.toString());
        assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(2 * value + 1);
    }

    /// The words that kvm-unit-tests' run scripts use.
    @Test
    void theWordsOfTestScriptsAreTaken() throws InterruptedException {
        Jvirt.Outcome outcome = qemu(
                "--no-reboot",
                "-nodefaults",
                "-device",
                "pc-testdev",
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=0x4",
                "-vnc",
                "none",
                "-serial",
                "stdio",
                "-device",
                "pci-testdev",
                "-machine",
                "accel=tcg",
                "-cpu",
                "max",
                "-smp",
                "2",
                "-m",
                "64",
                "-kernel",
                exiting,
                "-append",
                "one two");
        assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(0x21);
    }

    @Test
    void aResetWithNoRebootEndsWithZero() throws InterruptedException {
        Path kernel = Kernels.resetting(directory.resolve("resetting"));
        assertThat(qemu("-nographic", "-no-reboot", "-kernel", kernel.toString())
                        .exitCode())
                .isZero();
    }

    @Test
    void devicesAreListed() throws InterruptedException {
        Jvirt.Outcome outcome = qemu("-device", "?");
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).contains("name \"isa-debug-exit\"", "name \"pc-testdev\"", "name \"virtio-blk-pci\"");
    }

    @Test
    void theVersionIsToldAsScriptsExpectIt() throws InterruptedException {
        Jvirt.Outcome outcome = qemu("--version");
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).startsWith("QEMU emulator version ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            -kernal x          | -kernal is not supported. The nearest option that is: -kernel.
            -device e1000      | 'e1000' is not supported. The nearest that is:
            -device virtio-rgn | 'virtio-rgn' is not supported. The nearest that is: virtio-rng-pci
            -machine p35       | 'p35' is not supported. The nearest that is: q35.
            -accel hvf         | 'hvf' is not supported. The nearest that is:
            -display gtk       | -display gtk is not supported. The nearest that is: -display none.
            -m 1X              | -m: '1X' is not a size
            -kernel            | -kernel needs a value.
            disk.img           | 'disk.img' is no option.
            -drive if=vertio,file=x | if=vertio is not supported. The nearest that is: virtio.
            """)
    void whatIsNotSupportedIsRefusedByNameWithTheNearest(String options, String message) throws InterruptedException {
        Jvirt.Outcome outcome = qemu(options.split(" "));
        assertThat(outcome.err()).contains(message).startsWith("jvirt: ").doesNotContain("\tat ");
        assertThat(outcome.exitCode()).isEqualTo(USER_ERROR);
    }
}
