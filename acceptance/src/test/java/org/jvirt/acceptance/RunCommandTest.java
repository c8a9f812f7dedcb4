package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `jvirt run` as a user types it.
@Tag("acceptance")
final class RunCommandTest {
    @Test
    void withoutAKernelDebiansIsRunAndARebootEndsIt(@TempDir Path directory) throws Exception {
        Path disk = DiskFile.create(directory.resolve("disk.img"), 16 << 20, "as it was");
        try (Jvirt jvirt = Jvirt.start(
                "run", "--memory", "256M", "--disk", disk.toString(), "--snapshot", "--rng", "--no-reboot")) {
            Shell shell = Shell.atPrompt(jvirt, Guest.BOOT);
            assertThat(shell.run("echo changed | dd of=/dev/vda conv=fsync; head -n 1 /dev/vda"))
                    .endsWith("changed");
            assertThat(shell.run("head -c 8 /dev/hwrng | wc -c")).isEqualTo("8");
            jvirt.type("reboot -f\n");
            Jvirt.Outcome outcome = jvirt.end(Duration.ofMinutes(1));
            assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        }
        assertThat(DiskFile.content(disk)).startsWith("as it was");
    }
}
