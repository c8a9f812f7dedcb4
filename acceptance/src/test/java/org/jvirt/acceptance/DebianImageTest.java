package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.cli.debian.CpioArchive;
import org.jvirt.cli.debian.DebianGuest;

/// `jvirt image build debian`, and the machine that it gives.
final class DebianImageTest {
    private static final Duration BUILD = Duration.ofMinutes(60);
    private static final Duration BOOT = Duration.ofMinutes(20);

    private static final String MOUNTING_INIT = """
            #!/bin/busybox sh
            /bin/busybox mkdir -p /proc /sys /dev /usr/bin /usr/sbin /sbin
            /bin/busybox --install -s
            mount -t proc proc /proc
            mount -t sysfs sys /sys
            mount -t devtmpfs dev /dev
            for module in $(cat /modules/order /modules/order-0x010601); do
                [ -d /sys/module/${module%.ko} ] || insmod /modules/$module
            done
            until mount -t ext4 -o ro "$(findfs LABEL=root)" /system; do sleep 1; done
            umount /proc /sys /dev
            exec switch_root /system /sbin/init
            """;
    private static final String PASSWORD = "secret";

    @TempDir
    private static Path images;

    private static Optional<Path> built = Optional.empty();

    @TempDir
    private Path directory;

    /// One image for all tests that only start it, as qcow2, into which it is converted.
    private static Path disk() throws Exception {
        if (built.isEmpty()) {
            Path image = images.resolve("debian.raw");
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
                    PASSWORD)) {
                build.closeInput();
                Jvirt.Outcome outcome = build.end(BUILD);
                assertThat(outcome.exitCode()).as(outcome.err()).isZero();
            }
            assertThat(Files.size(image)).isEqualTo(2L << 30);
            Path disk = images.resolve("debian.qcow2");
            assertThat(Jvirt.run("img", "convert", "-f", "raw", "-O", "qcow2", image.toString(), disk.toString())
                            .exitCode())
                    .isZero();
            Files.delete(image);
            built = Optional.of(disk);
        }
        return built.orElseThrow();
    }

    /// Logs in, requires that no service failed, and powers off.
    private static void use(Jvirt machine, String rootDevice) throws InterruptedException {
        machine.expect("acceptance login: ", BOOT);
        machine.type("root\n");
        machine.expect("Password: ", BOOT);
        machine.type(PASSWORD + "\n");
        machine.expect("root@acceptance:~#", BOOT);
        machine.type(
                "systemctl is-system-running --wait; systemctl --failed --no-legend --plain --no-pager; findmnt -no SOURCE /;"
                        + " date > /written; sync; echo all-''said\n");
        assertThat(machine.expect("all-said", BOOT)).contains("running\r\n%s\r\n".formatted(rootDevice));
        machine.type("poweroff\n");
        assertThat(machine.exitCode(BOOT)).isZero();
    }

    /// On each controller that the cloud kernel has a driver for.
    @ParameterizedTest
    @CsvSource({"virtio,/dev/vda1", "scsi,/dev/sda1", "nvme,/dev/nvme0n1p1"})
    @Tag("acceptance")
    void anImageBootsByItsOwnBootLoaderToALoginAndPowersOff(String bus, String rootDevice) throws Exception {
        Path layer = directory.resolve("layer.qcow2");
        assertThat(Jvirt.run("img", "create", "-f", "qcow2", "-b", disk().toString(), "-F", "qcow2", layer.toString())
                        .exitCode())
                .isZero();
        try (Jvirt machine = Jvirt.start("run", "file=%s,if=%s".formatted(layer, bus), "--memory", "512M")) {
            use(machine, rootDevice);
        }
        assertThat(Jvirt.run("img", "check", layer.toString()).exitCode()).isZero();
    }

    /// By a kernel that has a driver for it.
    @Test
    @Tag("acceptance")
    void anImageBootsOnSataByAGivenKernel() throws Exception {
        DebianGuest guest = DebianGuest.of(DebianGuest.Flavour.FULL, System.err::println);
        try (Jvirt machine = Jvirt.start(
                "run",
                "file=%s,if=sata".formatted(disk()),
                "--snapshot",
                "--kernel",
                guest.kernel().toString(),
                "--initrd",
                mountingInitrd(guest.initrd()).toString(),
                "--append",
                "console=ttyS0 quiet")) {
            use(machine, "/dev/sda1");
        }
    }

    /// The first guest's initramfs, which goes on to the system on the partition with label `root`.
    private Path mountingInitrd(Path base) throws IOException {
        Path initrd = Files.copy(base, directory.resolve("initrd"));
        try (OutputStream end = Files.newOutputStream(initrd, StandardOpenOption.APPEND);
                var archive = new CpioArchive(new BufferedOutputStream(end))) {
            archive.directory("system", 0755);
            archive.file("init", 0755, MOUNTING_INIT.getBytes(StandardCharsets.US_ASCII));
        }
        return initrd;
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
