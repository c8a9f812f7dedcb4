package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
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
import org.jvirt.images.job.JobState;
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

    @TempDir
    private static Path directory;

    private Guest guest;
    private Shell shell;
    private Monitor monitor;

    @BeforeAll
    void boot() throws Exception {
        Path disk = directory.resolve("disk.qcow2");
        new ImageAccess().create(ImageFormat.QCOW2, disk.toString(), DISK_BYTES, Map.of());
        guest = Guest.start(builder -> builder.disk(DiskImages.open(disk, ImageFormat.QCOW2, false)));
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
}
