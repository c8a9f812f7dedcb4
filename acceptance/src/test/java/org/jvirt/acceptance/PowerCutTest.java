package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// jvirt is killed while the guest writes: the file system is sound, and has what the guest had flushed.
@Tag("acceptance")
final class PowerCutTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String WRITER = "mount -t ext4 /dev/vda /mnt; i=0; while true; do i=$((i+1));"
            + " echo content of $i > /mnt/f$i; sync; echo flushed-$i-; echo unflushed > /mnt/u$i; rm -f /mnt/u$((i-3));"
            + " done\n";

    @TempDir
    private Path directory;

    private String host(String... words) throws Exception {
        Process process = new ProcessBuilder(words)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as("%s printed:%n%s", List.of(words), text)
                .isLessThanOrEqualTo(1);
        return text;
    }

    @Test
    void ext4OnQcow2SurvivesAKillInMidWriteWithAllThatWasFlushed() throws Exception {
        for (String tool : List.of("/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck", "/usr/sbin/debugfs")) {
            Assumptions.assumeTrue(
                    Files.isExecutable(Path.of(tool)),
                    "SKIPPED: %s is missing: apt-get install e2fsprogs".formatted(tool));
        }
        Path raw = DiskFile.create(directory.resolve("disk.raw"), 32 << 20, "");
        host("/usr/sbin/mkfs.ext4", "-q", "-F", raw.toString());
        Path disk = directory.resolve("disk.qcow2");
        assertThat(Jvirt.run("img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), disk.toString())
                        .exitCode())
                .isZero();
        int flushed = 12;
        try (Jvirt machine = Jvirt.start("run", "--disk", "file=%s,format=qcow2".formatted(disk))) {
            Shell.atPrompt(machine, Guest.BOOT);
            machine.type(WRITER);
            machine.expect("flushed-%d-".formatted(flushed), PATIENCE);
            machine.kill();
        }
        assertThat(Jvirt.run("img", "check", disk.toString()).exitCode())
                .as("sound but for leaks")
                .isIn(0, 3);
        assertThat(Jvirt.run("img", "convert", "-f", "qcow2", "-O", "raw", disk.toString(), raw.toString())
                        .exitCode())
                .isZero();
        assertThat(host("/usr/sbin/e2fsck", "-p", raw.toString())).contains("recovering journal");
        host("/usr/sbin/e2fsck", "-f", "-n", raw.toString());
        for (int i = 1; i <= flushed; i++) {
            assertThat(host("/usr/sbin/debugfs", "-R", "cat /f" + i, raw.toString()))
                    .contains("content of " + i);
        }
    }
}
