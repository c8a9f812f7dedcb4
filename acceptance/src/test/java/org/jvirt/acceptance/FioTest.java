package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.VirtualMachineBuilder;

/// fio, which writes blocks that tell where they belong and what is in them, and reads them again: in a guest, on a
/// qcow2 image behind each controller.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FioTest {
    private static final Path FIO = Path.of("/usr/bin/fio");
    private static final int DISK_BYTES = 64 << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String COMMAND = "chroot /fio /usr/bin/fio --name=job --thread --filename=/dev/%s --direct=1"
            + " --ioengine=libaio --verify=crc32c --verify_fatal=1 --disk_util=0 ";

    @TempDir
    private static Path directory;

    private Guest guest;
    private Shell shell;

    private static Path image(DriveBus bus) {
        return directory.resolve(bus + ".qcow2");
    }

    private static String serial(DriveBus bus) {
        return "FIO-" + bus;
    }

    @BeforeAll
    void boot() throws Exception {
        assumeTrue(Files.isExecutable(FIO), "SKIPPED: no fio: apt-get install fio");
        Path root = Files.createDirectory(directory.resolve("root"));
        for (String place : List.of("dev", "proc", "tmp")) {
            Files.createDirectory(root.resolve(place));
        }
        HostPrograms.install(FIO, root);
        Path programs = JavaDisk.fileSystem(root, directory.resolve("fio.img"), "192M");
        for (DriveBus bus : DriveBus.values()) {
            new ImageAccess().create(ImageFormat.QCOW2, image(bus).toString(), DISK_BYTES, Map.of());
        }
        guest = Guest.start(DebianGuest.Flavour.FULL, builder -> {
            VirtualMachineBuilder machine =
                    builder.memory(512).cpus(2).disk(DiskImages.open(programs, ImageFormat.RAW, true));
            for (DriveBus bus : DriveBus.values()) {
                DiskImage disk = DiskImages.openDisk(
                        new ImageAccess(), ImageReference.ofFile(image(bus)), Optional.of(ImageFormat.QCOW2), false);
                machine = machine.disk(disk, serial(bus), LiveSettings.DEFAULT.withId(bus.name()), DriveShape.on(bus));
            }
            return machine;
        });
        shell = guest.shell();
        shell.run("mkdir /fio; mount -t ext4 -o ro /dev/vda /fio; mount --bind /dev /fio/dev;"
                + " mount -t proc proc /fio/proc; mount -t tmpfs tmp /fio/tmp");
    }

    @AfterAll
    void powerOff() throws InterruptedException {
        if (guest == null) {
            return;
        }
        try (Guest last = guest) {
            last.powerOff();
        }
        for (DriveBus bus : DriveBus.values()) {
            assertThat(Jvirt.run("img", "check", image(bus).toString()).exitCode())
                    .as("the image of " + bus)
                    .isZero();
        }
    }

    private String device(DriveBus bus) throws InterruptedException {
        return switch (bus) {
            case VIRTIO -> "vdb";
            case NVME -> "nvme0n1";
            case SATA, SCSI ->
                shell.run("grep -l %s /sys/block/sd*/device/vpd_pg80".formatted(serial(bus)))
                        .split("/", -1)[3];
        };
    }

    private Shell.Result fio(String device, String words) throws InterruptedException {
        shell.begin(COMMAND.formatted(device) + words);
        return shell.finish("fio " + words, PATIENCE);
    }

    @ParameterizedTest
    @EnumSource
    void randomReadsAndWritesVerify(DriveBus bus) throws InterruptedException {
        String output = fio(
                        device(bus),
                        "--rw=randrw --rwmixread=30 --bsrange=4k-64k --iodepth=16 --fsync=64 --offset=16M --size=32M"
                                + " --verify_backlog=128")
                .succeeded();
        assertThat(output).contains("err= 0").doesNotContain("verify:");
    }

    /// As the test above it could not fail otherwise.
    @ParameterizedTest
    @EnumSource
    void whatIsNotAsItWasWrittenIsFound(DriveBus bus) throws InterruptedException {
        String device = device(bus);
        String job = "--rw=write --bs=64k --iodepth=4 --size=4M ";
        fio(device, job).succeeded();
        fio(device, job + "--verify_only").succeeded();
        shell.run("dd if=/dev/urandom of=/dev/%s bs=4k seek=300 count=1 conv=fsync".formatted(device));
        assertThat(fio(device, job + "--verify_only").failed()).contains("verify");
    }
}
