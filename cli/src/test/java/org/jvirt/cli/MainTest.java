package org.jvirt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.machine.ExitCodes;

class MainTest {
    @Test
    void wrongUseHasItsExitCode() {
        assertThat(Main.run("run", "--no-such-option")).isEqualTo(ExitCodes.USER_ERROR);
        assertThat(Main.run("fly")).isEqualTo(ExitCodes.USER_ERROR);
        assertThat(Main.run("run", "--memory", "much")).isEqualTo(ExitCodes.USER_ERROR);
        assertThat(Main.run("qemu-system-x86_64", "-kernal", "x")).isEqualTo(ExitCodes.USER_ERROR);
    }

    @Test
    void questionsEndWell() {
        assertThat(Main.run("--version")).isZero();
        assertThat(Main.run("run", "--help")).isZero();
        assertThat(Main.run("qemu-system-x86_64", "-device", "?")).isZero();
        assertThat(Main.run("qemu-system-x86_64", "--version")).isZero();
        assertThat(Main.run("doctor")).isZero();
    }

    @Test
    void aKernelThatIsNoneIsRefused(@TempDir Path directory) throws java.io.IOException {
        Path text = Files.writeString(directory.resolve("kernel.txt"), "this is not a kernel\n".repeat(100));
        assertThat(Main.run("run", "--serial", "none", "--kernel", text.toString()))
                .isEqualTo(ExitCodes.USER_ERROR);
        assertThat(Main.run(
                        "run",
                        "--serial",
                        "none",
                        "--kernel",
                        directory.resolve("absent").toString()))
                .isEqualTo(ExitCodes.USER_ERROR);
    }
}
