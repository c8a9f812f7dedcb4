package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `jvirt image build debian`, and the machine that it gives.
final class DebianImageTest {
    private static final Duration BUILD = Duration.ofMinutes(60);
    private static final Duration BOOT = Duration.ofMinutes(20);

    @TempDir
    private Path directory;

    /// As qcow2, into which it is converted.
    @Test
    @Tag("acceptance")
    void anImageBootsByItsOwnBootLoaderToALoginAndPowersOff() throws Exception {
        Path image = directory.resolve("debian.raw");
        try (Jvirt build = Jvirt.start(
                "image",
                "build",
                "debian",
                image.toString(),
                "--size",
                "2G",
                "--hostname",
                "acceptance",
                "--root-password",
                "secret")) {
            build.closeInput();
            Jvirt.Outcome outcome = build.end(BUILD);
            assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        }
        assertThat(Files.size(image)).isEqualTo(2L << 30);
        Path disk = directory.resolve("debian.qcow2");
        assertThat(Jvirt.run("img", "convert", "-f", "raw", "-O", "qcow2", image.toString(), disk.toString())
                        .exitCode())
                .isZero();
        Files.delete(image);
        try (Jvirt machine = Jvirt.start("run", disk.toString(), "--memory", "512M")) {
            machine.expect("acceptance login: ", BOOT);
            machine.type("root\n");
            machine.expect("Password: ", BOOT);
            machine.type("secret\n");
            machine.expect("root@acceptance:~#", BOOT);
            machine.type("systemctl is-system-running --wait; findmnt -no SOURCE /; echo all-''said\n");
            assertThat(machine.expect("all-said", BOOT)).contains("running", "/dev/vda1");
            machine.type("poweroff\n");
            assertThat(machine.exitCode(BOOT)).isZero();
        }
    }

    @Test
    @Tag("acceptance")
    void aReleaseThatNoSourceOffersIsRefusedByNameAndLeavesNothingBehind() throws Exception {
        Jvirt.Outcome outcome = Jvirt.run(
                "image", "build", "debian", directory.resolve("debian.raw").toString(), "--suite", "hamm");
        assertThat(outcome.exitCode()).isEqualTo(64);
        assertThat(outcome.err()).contains("offer no Debian hamm");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    @Tag("acceptance")
    void aPackageThatDebianDoesNotHaveIsRefusedByName() throws Exception {
        Jvirt.Outcome outcome = Jvirt.run(
                "image",
                "build",
                "debian",
                directory.resolve("debian.raw").toString(),
                "--packages",
                "no-such-package-anywhere");
        assertThat(outcome.exitCode()).isEqualTo(64);
        assertThat(outcome.err()).contains("no-such-package-anywhere");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }
}
