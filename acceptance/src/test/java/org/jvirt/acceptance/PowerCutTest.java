package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
    private static final int FLUSHED = 12;
    private static final String WRITER = "mount -t %s /dev/vda /mnt; i=0; while true; do i=$((i+1));"
            + " echo content of $i > /mnt/f$i; sync; echo flushed-$i-; echo unflushed > /mnt/u$i; rm -f /mnt/u$((i-3));"
            + " done\n";
    private static final int EXT4_BYTES = 32 << 20;
    /// The least that mkfs.xfs takes is 300 MiB.
    private static final int XFS_BYTES = 320 << 20;

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

    private static void require(String debianPackage, String... tools) {
        for (String tool : tools) {
            Assumptions.assumeTrue(
                    Files.isExecutable(Path.of(tool)),
                    "SKIPPED: %s is missing: apt-get install %s".formatted(tool, debianPackage));
        }
    }

    private static void img(String... words) throws InterruptedException {
        var arguments = new ArrayList<>(List.of("img"));
        arguments.addAll(List.of(words));
        Jvirt.Outcome outcome = Jvirt.run(arguments.toArray(String[]::new));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    }

    private Path toQcow2(Path raw) throws InterruptedException {
        Path disk = directory.resolve("disk.qcow2");
        img("convert", "-f", "raw", "-O", "qcow2", raw.toString(), disk.toString());
        return disk;
    }

    private static void toRaw(Path disk, Path raw) throws InterruptedException {
        img("convert", "-f", "qcow2", "-O", "raw", disk.toString(), raw.toString());
    }

    private static Jvirt machine(Path disk, String... further) {
        var words = new ArrayList<>(List.of("run", "--disk", "file=%s,format=qcow2".formatted(disk)));
        words.addAll(List.of(further));
        return Jvirt.start(words.toArray(String[]::new));
    }

    /// Pulls the plug of a machine that writes.
    private static void cut(Jvirt machine, String fileSystem) throws InterruptedException {
        machine.type(WRITER.formatted(fileSystem));
        machine.expect("flushed-%d-".formatted(FLUSHED), PATIENCE);
        machine.kill();
    }

    private static void requireSound(Path disk) throws InterruptedException {
        assertThat(Jvirt.run("img", "check", disk.toString()).exitCode())
                .as("sound but for leaks")
                .isIn(0, 3);
    }

    @Test
    void ext4OnQcow2SurvivesAKillInMidWriteWithAllThatWasFlushed() throws Exception {
        require("e2fsprogs", "/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck", "/usr/sbin/debugfs");
        Path raw = DiskFile.create(directory.resolve("disk.raw"), EXT4_BYTES, "");
        host("/usr/sbin/mkfs.ext4", "-q", "-F", raw.toString());
        Path disk = toQcow2(raw);
        try (Jvirt machine = machine(disk)) {
            Shell.atPrompt(machine, Guest.BOOT);
            cut(machine, "ext4");
        }
        requireSound(disk);
        toRaw(disk, raw);
        assertThat(host("/usr/sbin/e2fsck", "-p", raw.toString())).contains("recovering journal");
        host("/usr/sbin/e2fsck", "-f", "-n", raw.toString());
        for (int i = 1; i <= FLUSHED; i++) {
            assertThat(host("/usr/sbin/debugfs", "-R", "cat /f" + i, raw.toString()))
                    .contains("content of " + i);
        }
    }

    /// Only a kernel reads the log of an xfs that was cut off, so the next guest does.
    @Test
    void xfsOnQcow2SurvivesAKillInMidWriteWithAllThatWasFlushed() throws Exception {
        require("xfsprogs", "/usr/sbin/mkfs.xfs", "/usr/sbin/xfs_repair");
        KernelWithModules kernel = KernelWithModules.make(directory, "xfs");
        String[] boot = {
            "--kernel",
            kernel.kernel().toString(),
            "--initrd",
            kernel.initrd().toString(),
            "--append",
            "console=ttyS0 panic=-1"
        };
        Path raw = DiskFile.create(directory.resolve("disk.raw"), XFS_BYTES, "");
        host("/usr/sbin/mkfs.xfs", "-q", "-f", raw.toString());
        Path disk = toQcow2(raw);
        try (Jvirt machine = machine(disk, boot)) {
            Shell shell = Shell.atPrompt(machine, Guest.BOOT);
            shell.run(KernelWithModules.LOAD);
            cut(machine, "xfs");
        }
        requireSound(disk);
        try (Jvirt machine = machine(disk, boot)) {
            Shell shell = Shell.atPrompt(machine, Guest.BOOT);
            shell.run(KernelWithModules.LOAD);
            shell.run("mount -t xfs /dev/vda /mnt");
            assertThat(shell.run("dmesg")).containsPattern("XFS \\(vda\\): (Starting|Ending) recovery");
            assertThat(shell.run("for i in $(seq 1 %d); do cat /mnt/f$i; done".formatted(FLUSHED))
                            .lines())
                    .hasSize(FLUSHED)
                    .startsWith("content of 1")
                    .endsWith("content of " + FLUSHED);
            shell.run("umount /mnt");
            machine.type("poweroff -f\n");
            assertThat(machine.exitCode(Jvirt.PATIENCE)).isZero();
        }
        requireSound(disk);
        toRaw(disk, raw);
        Process repair = new ProcessBuilder("/usr/sbin/xfs_repair", "-n", raw.toString())
                .redirectErrorStream(true)
                .start();
        String text = new String(repair.getInputStream().readAllBytes());
        assertThat(repair.waitFor()).as(text).isZero();
    }
}
