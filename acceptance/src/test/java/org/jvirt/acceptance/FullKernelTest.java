package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.ImageFormat;

/// The kernel that Debian installs on hardware: more drivers, more ways to go wrong.
@Tag("acceptance")
final class FullKernelTest {
    @Test
    void theFullKernelBootsMountsADiskAndPowersOff(@TempDir Path directory) throws Exception {
        Path disk = DiskFile.create(directory.resolve("disk.img"), 16 << 20, "");
        try (Guest guest = Guest.start(
                DebianGuest.Flavour.FULL,
                builder -> builder.memory(512).rng().disk(DiskImages.open(disk, ImageFormat.RAW, false)))) {
            Shell shell = guest.shell();
            assertThat(shell.run("uname -r")).endsWith("-amd64").doesNotContain("cloud");
            shell.run("mke2fs -F /dev/vda; mount -t ext4 /dev/vda /mnt; echo kept > /mnt/note; sync; umount /mnt");
            assertThat(DiskFile.content(disk)).contains("kept\n");
            assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
            guest.powerOff();
        }
    }
}
