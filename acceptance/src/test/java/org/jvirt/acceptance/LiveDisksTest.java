package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.job.BlockJob;
import org.jvirt.images.job.BlockJobs;
import org.jvirt.images.job.JobOptions;
import org.jvirt.images.job.JobState;
import org.jvirt.images.job.SyncMode;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.machine.monitor.Monitor;

/// What becomes of a disk while Debian's kernel writes to it: record after record, each in the next sector, each
/// on the disk before the next one begins.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class LiveDisksTest {
    private static final int SECTOR = 512;
    private static final int DISK_BYTES = 16 << 20;
    private static final String WRITER = "i=$(cat /tmp/count 2>/dev/null || echo 0); rm -f /tmp/stop;"
            + " while [ ! -e /tmp/stop ]; do i=$((i+1));"
            + " printf %08d $i | dd of=/dev/vda bs=512 seek=$i conv=notrunc,fsync 2>/dev/null;"
            + " echo $i > /tmp/new; mv /tmp/new /tmp/count; done & true";

    /// Random content at random places, counted when it is on the disk.
    private static final String SCATTERER = "n=0; while [ ! -e /tmp/stop-scattering ]; do"
            + " dd if=/dev/urandom of=/dev/vdb bs=64k count=1 seek=$((RANDOM %% %d)) conv=notrunc,fsync 2>/dev/null;"
            + " n=$((n+1)); echo $n > /tmp/new-scattered; mv /tmp/new-scattered /tmp/scattered; done & true";

    private static final int SCATTERED_BLOCK = 64 << 10;
    private static final int BLOCKS = DISK_BYTES / SCATTERED_BLOCK;
    private static final int CHANGES = 40;
    private static final int SLOWLY = 64 << 10;

    @TempDir
    private static Path directory;

    private Guest guest;
    private Shell shell;
    private Monitor monitor;

    @BeforeAll
    void boot() throws Exception {
        Path disk = directory.resolve("disk.qcow2");
        new ImageAccess().create(ImageFormat.QCOW2, disk.toString(), DISK_BYTES, Map.of());
        Path scattered = directory.resolve("scattered.qcow2");
        new ImageAccess().create(ImageFormat.QCOW2, scattered.toString(), DISK_BYTES, Map.of());
        guest = Guest.start(builder -> builder.disk(DiskImages.open(disk, ImageFormat.QCOW2, false))
                .disk(DiskImages.open(scattered, ImageFormat.QCOW2, false)));
        monitor = new Monitor(guest.vm(), "");
        shell = guest.shell();
        shell.run(WRITER);
    }

    @AfterAll
    void powerOff() throws InterruptedException {
        try (Guest last = guest) {
            last.powerOff();
        }
    }

    private int written() throws InterruptedException {
        return Integer.parseInt(shell.run("cat /tmp/count 2>/dev/null || echo 0"));
    }

    private void awaitMore(int records) throws InterruptedException {
        for (int until = written() + records; written() < until; ) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /// How many of those blocks the second writer has written.
    private int scattered() throws InterruptedException {
        return Integer.parseInt(shell.run("cat /tmp/scattered 2>/dev/null || echo 0"));
    }

    private byte[] contentOf(String device) throws IOException {
        byte[] content = new byte[DISK_BYTES];
        guest.vm().disk(device).read(0, List.of(MemorySegment.ofArray(content)));
        return content;
    }

    private BlockJob job() {
        return guest.vm().blockJobs().find(guest.vm().disk("virtio0"));
    }

    /// The number of the last record, of which none before it may be missing and none may follow.
    private static int records(byte[] content) {
        int last = 0;
        while (text(content, last + 1).equals("%08d".formatted(last + 1))) {
            last++;
        }
        for (int i = last + 1; i < content.length / SECTOR; i++) {
            assertThat(text(content, i))
                    .as("sector %d after record %d", i, last)
                    .isEqualTo("\0".repeat(8));
        }
        return last;
    }

    private static String text(byte[] content, int sector) {
        return new String(content, sector * SECTOR, 8, StandardCharsets.ISO_8859_1);
    }

    private static byte[] content(Path file) throws IOException {
        try (DiskImage image = DiskImages.open(file, ImageFormat.QCOW2, true)) {
            byte[] content = new byte[DISK_BYTES];
            image.read(0, List.of(MemorySegment.ofArray(content)));
            return content;
        }
    }

    @Test
    void aBackupAMirrorAndASnapshotOfABusyDiskAreConsistentPrefixes() throws Exception {
        awaitMore(20);
        Path backup = directory.resolve("backup.qcow2");
        int before = written();
        assertThat(monitor.execute("drive_backup -f virtio0 %s qcow2".formatted(backup)))
                .isEmpty();
        Optional<BlockJob> running = guest.vm().blockJobs().list().stream().findFirst();
        int after = written();
        awaitMore(10);
        for (BlockJob job : running.stream().toList()) {
            assertThat(job.await(60, TimeUnit.SECONDS).succeeded()).isTrue();
        }
        assertThat(records(content(backup))).isBetween(before, after + 1);

        Path mirror = directory.resolve("mirror.qcow2");
        assertThat(monitor.execute("drive_mirror -f virtio0 %s qcow2".formatted(mirror)))
                .isEmpty();
        BlockJob job = job();
        assertThat(job.await(JobState.READY, 60, TimeUnit.SECONDS).state()).isEqualTo(JobState.READY);
        assertThat(monitor.execute("info block-jobs")).contains("Type mirror, device virtio0", "ready");
        awaitMore(10);
        assertThat(monitor.execute("block_job_complete virtio0")).isEmpty();
        assertThat(job.await(60, TimeUnit.SECONDS).succeeded()).isTrue();
        int moved = written();
        assertThat(records(content(directory.resolve("disk.qcow2")))).isLessThanOrEqualTo(moved + 1);
        awaitMore(10);

        Path layer = directory.resolve("layer.qcow2");
        before = written();
        assertThat(monitor.execute("snapshot_blkdev virtio0 %s".formatted(layer)))
                .isEmpty();
        after = written();
        awaitMore(10);
        assertThat(records(content(mirror))).isBetween(before, after + 1);
        assertThat(monitor.execute("info block")).contains("layer.qcow2", "mirror.qcow2 (chain depth: 1)");

        assertThat(monitor.execute("commit virtio0")).isEmpty();
        BlockJob commit = job();
        assertThat(commit.await(JobState.READY, 60, TimeUnit.SECONDS).state()).isEqualTo(JobState.READY);
        awaitMore(5);
        assertThat(monitor.execute("block_job_complete virtio0")).isEmpty();
        assertThat(commit.await(60, TimeUnit.SECONDS).succeeded()).isTrue();

        shell.run("touch /tmp/stop; wait");
        int all = written();
        assertThat(shell.run("dd if=/dev/vda bs=512 skip=%d count=1 2>/dev/null | head -c 8".formatted(all)))
                .isEqualTo("%08d".formatted(all));
        LiveDisk disk = guest.vm().disk("virtio0");
        byte[] content = new byte[DISK_BYTES];
        disk.read(0, List.of(MemorySegment.ofArray(content)));
        assertThat(records(content)).isEqualTo(all);
        assertThat(disk.name()).isEqualTo(mirror.toString());
    }

    /// The machine stands while the instant is chosen, so that it is known what the backup has to be; then the
    /// guest overwrites the disk while the job takes its time.
    @Test
    void aBackupOfABusyDiskIsTheDiskAtTheInstant() throws Exception {
        shell.run("dd if=/dev/urandom of=/dev/vdb bs=1M count=%d conv=fsync".formatted(DISK_BYTES >> 20));
        shell.run(SCATTERER.formatted(BLOCKS));
        while (scattered() < 2) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        Path backup = directory.resolve("instant.qcow2");
        monitor.execute("stop");
        byte[] atTheInstant = contentOf("virtio1");
        BlockJob job = guest.vm()
                .blockJobs()
                .backup(
                        guest.vm().disk("virtio1"),
                        new BlockJobs.Target(backup, ImageFormat.QCOW2, false),
                        SyncMode.FULL,
                        Optional.empty(),
                        false,
                        JobOptions.DEFAULT.withSpeed(SLOWLY));
        monitor.execute("cont");
        for (int until = scattered() + CHANGES; scattered() < until; ) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(job.status().state()).as("there is something left to copy").isEqualTo(JobState.RUNNING);
        assertThat(monitor.execute("block_job_set_speed virtio1 0")).isEmpty();
        assertThat(job.await(60, TimeUnit.SECONDS).succeeded()).isTrue();
        shell.run("touch /tmp/stop-scattering");
        byte[] now = contentOf("virtio1");
        long changed = IntStream.range(0, BLOCKS)
                .filter(block -> !Arrays.equals(
                        now,
                        block * SCATTERED_BLOCK,
                        (block + 1) * SCATTERED_BLOCK,
                        atTheInstant,
                        block * SCATTERED_BLOCK,
                        (block + 1) * SCATTERED_BLOCK))
                .count();
        assertThat(changed).as("blocks that the guest has changed since").isGreaterThan(CHANGES / 2);
        assertThat(content(backup)).isEqualTo(atTheInstant);
    }
}
