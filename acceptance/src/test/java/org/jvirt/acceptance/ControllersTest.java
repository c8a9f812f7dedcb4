package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.VirtualMachineBuilder;

/// Debian's full kernel on two processors, with a disk on each controller and a CD-ROM drive on each that has one.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ControllersTest {
    private static final int LAST = Integer.MAX_VALUE;
    private static final int DISK_BYTES = 24 << 20;
    private static final int FIRST_SECTOR = 2048;
    private static final int SECTORS = DISK_BYTES / 512 - FIRST_SECTOR;

    @TempDir
    private static Path directory;

    private Guest guest;
    private Shell shell;

    private static String serial(DriveBus bus) {
        return "SERIAL-" + bus;
    }

    private static Path image(DriveBus bus) {
        return directory.resolve(bus + ".img");
    }

    /// A partition table with one Linux partition.
    private static String partitioned() {
        var sector = new byte[512];
        sector[446 + 4] = (byte) 0x83;
        for (int i = 0; i < 4; i++) {
            sector[446 + 8 + i] = (byte) (FIRST_SECTOR >> 8 * i);
            sector[446 + 12 + i] = (byte) (SECTORS >> 8 * i);
        }
        sector[510] = 0x55;
        sector[511] = (byte) 0xaa;
        return new String(sector, StandardCharsets.ISO_8859_1);
    }

    private static Optional<BlockBackend> disc(String name) throws Exception {
        byte[] content = ("read from " + name + "\n").getBytes(StandardCharsets.US_ASCII);
        Path image = Disc.create(directory.resolve(name + ".iso"), "note", content);
        return Optional.of(DiskImages.open(image, ImageFormat.RAW, true));
    }

    @BeforeAll
    void boot() throws Exception {
        Optional<BlockBackend> sata = disc("sata");
        Optional<BlockBackend> scsi = disc("scsi");
        for (DriveBus bus : DriveBus.values()) {
            DiskFile.create(image(bus), DISK_BYTES, partitioned());
        }
        guest = Guest.start(DebianGuest.Flavour.FULL, builder -> {
            VirtualMachineBuilder machine = builder.memory(512).cpus(2);
            for (DriveBus bus : DriveBus.values()) {
                DiskImage disk = DiskImages.openDisk(
                        new ImageAccess(), ImageReference.ofFile(image(bus)), Optional.of(ImageFormat.RAW), false);
                machine = machine.disk(disk, serial(bus), LiveSettings.DEFAULT.withId(bus.name()), DriveShape.on(bus));
            }
            return machine.cdrom("sata-cd", sata, DriveShape.on(DriveBus.SATA))
                    .cdrom("scsi-cd", scsi, DriveShape.on(DriveBus.SCSI));
        });
        shell = guest.shell();
    }

    @AfterAll
    void powerOff() throws InterruptedException {
        try (Guest last = guest) {
            last.powerOff();
        }
    }

    /// The disk's name in the guest, found by its serial number.
    private String device(DriveBus bus) throws InterruptedException {
        return switch (bus) {
            case VIRTIO -> "vda";
            case NVME -> "nvme0n1";
            case SATA, SCSI -> {
                String file = shell.run("grep -l %s /sys/block/sd*/device/vpd_pg80".formatted(serial(bus)));
                yield file.split("/", -1)[3];
            }
        };
    }

    private static String partition(String device) {
        return device + (device.startsWith("nvme") ? "p1" : "1");
    }

    @ParameterizedTest
    @EnumSource
    void aFileSystemOnAPartitionIsKeptFlushedAndTrimmed(DriveBus bus) throws InterruptedException, IOException {
        String device = device(bus);
        String partition = partition(device);
        assertThat(shell.run("cat /sys/block/%s/size /sys/block/%s/%s/size".formatted(device, device, partition)))
                .isEqualTo(DISK_BYTES / 512 + "\n" + SECTORS);
        shell.run("mke2fs -F /dev/%s; mount -t ext4 /dev/%s /mnt".formatted(partition, partition));
        shell.run("echo kept on %s > /mnt/note; seq 1 200000 > /mnt/numbers; sync; umount /mnt".formatted(bus));
        assertThat(DiskFile.content(image(bus))).contains("kept on " + bus + "\n", "\n199999\n200000\n");
        shell.run("echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/%s /mnt".formatted(partition));
        assertThat(shell.run("cat /mnt/note; seq 1 200000 | cmp - /mnt/numbers"))
                .isEqualTo("kept on " + bus);
        shell.run("rm /mnt/numbers; sync");
        assertThat(shell.run("fstrim -v /mnt")).containsPattern("/mnt: \\d{7,} bytes");
        shell.run("umount /mnt");
        assertThat(DiskFile.content(image(bus)))
                .as("what was deleted has been trimmed")
                .contains("kept on " + bus)
                .doesNotContain("\n199999\n200000\n");
    }

    @ParameterizedTest
    @EnumSource
    void largeTransfersComeBackAsTheyWere(DriveBus bus) throws InterruptedException {
        String device = device(bus);
        assertThat(shell.run("dd if=/dev/urandom of=/tmp/data bs=1M count=8; sha256sum < /tmp/data > /tmp/sum;"
                        + " dd if=/tmp/data of=/dev/%s bs=1M seek=8 conv=fsync;".formatted(device)
                        + " echo 3 > /proc/sys/vm/drop_caches;"
                        + " dd if=/dev/%s bs=1M skip=8 count=8 | sha256sum | cmp - /tmp/sum && echo same; rm /tmp/data"
                                .formatted(device)))
                .endsWith("same");
    }

    @Test
    void thereIsAQueueForEachProcessor() throws InterruptedException {
        for (DriveBus bus : List.of(DriveBus.VIRTIO, DriveBus.SCSI, DriveBus.NVME)) {
            assertThat(shell.run("ls /sys/block/%s/mq | wc -l".formatted(device(bus))))
                    .as(bus.name())
                    .isEqualTo("2");
        }
    }

    /// Both drives: who is sr0 is a matter of luck.
    @Test
    void discsAreReadExchangedAndLocked() throws Exception {
        shell.run("mkdir -p /cd0 /cd1; mount -t iso9660 /dev/sr0 /cd0; mount -t iso9660 /dev/sr1 /cd1");
        assertThat(shell.run("cat /cd0/note /cd1/note | sort")).isEqualTo("read from sata\nread from scsi");
        assertThat(guest.vm().cdroms().values())
                .as("the kernel locks what is mounted")
                .allMatch(tray -> tray.locked());
        shell.run("umount /cd0; umount /cd1");
        for (Map.Entry<String, String> each :
                Map.of("sata-cd", "other-sata", "scsi-cd", "other-scsi").entrySet()) {
            guest.vm().cdroms().get(each.getKey()).insert(disc(each.getValue()).orElseThrow(), false);
        }
        shell.run("mount -t iso9660 /dev/sr0 /cd0; mount -t iso9660 /dev/sr1 /cd1");
        assertThat(shell.run("cat /cd0/note /cd1/note | sort")).isEqualTo("read from other-sata\nread from other-scsi");
        shell.run("umount /cd0; umount /cd1");
        guest.vm().cdroms().values().forEach(tray -> tray.eject(false));
        assertThat(shell.result("dd if=/dev/sr0 of=/dev/null bs=2048 count=1").failed())
                .contains("No medium");
    }

    @Test
    void aNewSizeReachesTheGuest() throws Exception {
        for (DriveBus bus : List.of(DriveBus.VIRTIO, DriveBus.NVME, DriveBus.SCSI)) {
            String device = device(bus);
            guest.vm().disk(bus.name()).resize(2 * DISK_BYTES);
            shell.run("for i in $(seq 1 100); do [ $(cat /sys/block/%s/size) = %d ] && break; sleep 0.1; done;"
                            .formatted(device, 2 * DISK_BYTES / 512)
                    + " [ $(cat /sys/block/%s/size) = %d ]".formatted(device, 2 * DISK_BYTES / 512));
        }
    }

    /// Last, so that it reads what the other tests made the kernel say, too.
    @Test
    @Order(LAST)
    void theKernelWarnsOfNothingUnexplained() throws InterruptedException {
        assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
    }
}
