package org.jvirt.images.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.testing.Peer;

/// Jobs on a disk that several threads write to meanwhile, against an array.
@Timeout(120)
final class BlockJobsTest {
    private static final List<ImageFormat> CHAIN = List.of(ImageFormat.RAW, ImageFormat.QCOW2, ImageFormat.QCOW2);

    @TempDir
    private Path folder;

    private final BlockJobs jobs = new BlockJobs();

    @AfterEach
    void close() {
        jobs.close();
    }

    private BlockJobs.Target target(ImageFormat format) {
        return new BlockJobs.Target(folder.resolve("copy." + format.formatName()), format, false);
    }

    private void checkWithQemu(Path file) {
        Peer.need("qemu-img", "qemu-utils");
        Peer.expect(folder, "qemu-img", "check", file.toString());
    }

    private static JobStatus end(BlockJob job) throws InterruptedException {
        JobStatus status = job.await(60, TimeUnit.SECONDS);
        assertThat(status.state()).isEqualTo(JobState.CONCLUDED);
        return status;
    }

    private static void succeed(BlockJob job) throws InterruptedException {
        JobStatus status = end(job);
        assertThat(status.error()).isEmpty();
        assertThat(status.cancelled()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aFullBackupIsTheDiskAtTheInstant(long seed) throws Exception {
        try (var busy = new BusyDisk(folder, seed, CHAIN)) {
            busy.startWriting();
            var expected = new AtomicReference<byte[]>();
            BlockJob job = busy.disk.alone(() -> {
                expected.set(busy.model());
                return jobs.backup(
                        busy.disk,
                        target(ImageFormat.QCOW2),
                        SyncMode.FULL,
                        Optional.empty(),
                        seed == 2,
                        JobOptions.DEFAULT);
            });
            succeed(job);
            busy.stopWriting();
            BusyDisk.assertHolds(folder.resolve("copy.qcow2"), ImageFormat.QCOW2, expected.get());
            checkWithQemu(folder.resolve("copy.qcow2"));
            busy.assertDiskHolds(busy.model());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ImageFormat.class,
            names = {"RAW", "VMDK", "VDI"})
    void aBackupToAnotherFormatIsTheDiskAtTheInstant(ImageFormat format) throws Exception {
        try (var busy = new BusyDisk(folder, 4, CHAIN)) {
            busy.startWriting();
            var expected = new AtomicReference<byte[]>();
            BlockJob job = busy.disk.alone(() -> {
                expected.set(busy.model());
                return jobs.backup(
                        busy.disk, target(format), SyncMode.FULL, Optional.empty(), false, JobOptions.DEFAULT);
            });
            succeed(job);
            BusyDisk.assertHolds(folder.resolve("copy." + format.formatName()), format, expected.get());
        }
    }

    @Test
    void aBackupOfTheTopLiesOnTheSameLayerBelow() throws Exception {
        try (var busy = new BusyDisk(folder, 5, CHAIN)) {
            busy.startWriting();
            var expected = new AtomicReference<byte[]>();
            BlockJob job = busy.disk.alone(() -> {
                expected.set(busy.model());
                return jobs.backup(
                        busy.disk,
                        target(ImageFormat.QCOW2),
                        SyncMode.TOP,
                        Optional.empty(),
                        false,
                        JobOptions.DEFAULT);
            });
            succeed(job);
            BusyDisk.assertHolds(folder.resolve("copy.qcow2"), ImageFormat.QCOW2, expected.get());
            assertThat(Peer.expect(folder, "qemu-img", "info", "-U", "copy.qcow2"))
                    .contains("layer1.qcow2");
        }
    }

    /// The usual round: a bitmap, a full backup, then what changed, again and again.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void incrementalBackupsFollowAFullOne(boolean persistent) throws Exception {
        try (var busy = new BusyDisk(folder, 6, List.of(ImageFormat.QCOW2))) {
            busy.startWriting();
            var access = new ImageAccess();
            Path before = folder.resolve("b0");
            jobs.addBitmap(busy.disk, "changes", 0, persistent);
            succeed(jobs.backup(
                    busy.disk,
                    new BlockJobs.Target(before, ImageFormat.QCOW2, false),
                    SyncMode.FULL,
                    Optional.empty(),
                    false,
                    JobOptions.DEFAULT));
            for (int round = 1; round <= 3; round++) {
                busy.awaitWrites(20);
                Path next = folder.resolve("b" + round);
                long speed = round == 2 ? 1 : 0;
                access.create(
                        ImageFormat.QCOW2,
                        next.toString(),
                        BusyDisk.SIZE,
                        Map.of("backing_file", before.toString(), "backing_fmt", "qcow2"));
                var expected = new AtomicReference<byte[]>();
                BlockJob job = busy.disk.alone(() -> {
                    expected.set(busy.model());
                    return jobs.backup(
                            busy.disk,
                            new BlockJobs.Target(next, ImageFormat.QCOW2, true),
                            SyncMode.INCREMENTAL,
                            Optional.of("changes"),
                            false,
                            JobOptions.DEFAULT.withSpeed(speed));
                });
                if (round == 2) {
                    // One that does not succeed takes nothing from the bitmap.
                    job.cancel(true);
                    assertThat(end(job).cancelled()).isTrue();
                } else {
                    succeed(job);
                    BusyDisk.assertHolds(next, ImageFormat.QCOW2, expected.get());
                    before = next;
                }
            }
            busy.stopWriting();
            assertThat(jobs.listBitmaps(busy.disk)).hasSize(1).allMatch(b -> b.persistent() == persistent);
            jobs.removeBitmap(busy.disk, "changes");
            assertThat(jobs.listBitmaps(busy.disk)).isEmpty();
        }
        checkWithQemu(folder.resolve("layer0.qcow2"));
    }

    @Test
    void aBackupOfNothingHoldsWhatChangedAsItWasBefore() throws Exception {
        try (var busy = new BusyDisk(folder, 7, CHAIN)) {
            var overlay = folder.resolve("fleece");
            Path frozen = folder.resolve("frozen");
            Files.write(frozen, busy.model());
            var access = new ImageAccess();
            access.create(
                    ImageFormat.QCOW2,
                    overlay.toString(),
                    BusyDisk.SIZE,
                    Map.of("backing_file", frozen.toString(), "backing_fmt", "raw"));
            BlockJob job = jobs.backup(
                    busy.disk,
                    new BlockJobs.Target(overlay, ImageFormat.QCOW2, true),
                    SyncMode.NONE,
                    Optional.empty(),
                    false,
                    JobOptions.DEFAULT);
            byte[] expected = busy.model();
            busy.startWriting();
            assertThat(job.await(JobState.READY, 30, TimeUnit.SECONDS).state()).isEqualTo(JobState.READY);
            busy.awaitWrites(30);
            busy.stopWriting();
            job.cancel(false);
            succeed(job);
            // Below lies the disk as it is now: where the job copied nothing, nothing has changed.
            Files.write(frozen, busy.model());
            BusyDisk.assertHolds(overlay, ImageFormat.QCOW2, expected);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = SyncMode.class,
            names = {"FULL", "TOP"})
    void aCompletedMirrorTakesTheDisksPlaceWithoutLosingAWrite(SyncMode sync) throws Exception {
        try (var busy = new BusyDisk(folder, 8, CHAIN)) {
            busy.startWriting();
            BlockJob job = jobs.mirror(busy.disk, target(ImageFormat.QCOW2), sync, JobOptions.DEFAULT);
            assertThatThrownBy(() -> jobs.stream(busy.disk, Optional.empty(), JobOptions.DEFAULT))
                    .hasMessageContaining("is busy");
            assertThat(job.await(JobState.READY, 60, TimeUnit.SECONDS).state()).isEqualTo(JobState.READY);
            busy.awaitWrites(50);
            job.complete();
            succeed(job);
            assertThat(busy.disk.name()).endsWith("copy.qcow2");
            busy.awaitWrites(50);
            busy.stopWriting();
            busy.assertDiskHolds(busy.model());
            assertThat(busy.depth()).isEqualTo(sync == SyncMode.FULL ? 1 : 3);
        }
        checkWithQemu(folder.resolve("copy.qcow2"));
    }

    @Test
    void aMirrorThatIsCancelledWhenReadyIsTheDiskAtThatInstant() throws Exception {
        try (var busy = new BusyDisk(folder, 9, CHAIN)) {
            busy.startWriting();
            BlockJob job = jobs.mirror(busy.disk, target(ImageFormat.RAW), SyncMode.FULL, JobOptions.DEFAULT);
            assertThatThrownBy(() -> {
                        job.pause();
                        job.complete();
                    })
                    .isInstanceOf(UserErrorException.class);
            job.resume();
            job.await(JobState.READY, 60, TimeUnit.SECONDS);
            busy.stopWriting();
            job.cancel(false);
            succeed(job);
            BusyDisk.assertHolds(folder.resolve("copy.raw"), ImageFormat.RAW, busy.model());
            busy.assertDiskHolds(busy.model());
            assertThat(busy.disk.name()).endsWith("layer2.qcow2");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aCommitOfTheTopMakesALayerBelowTheDisk(int base) throws Exception {
        try (var busy = new BusyDisk(folder, 10 + base, CHAIN)) {
            busy.startWriting();
            BlockJob job =
                    jobs.commit(busy.disk, Optional.empty(), Optional.of(busy.layers.get(base)), JobOptions.DEFAULT);
            job.await(JobState.READY, 60, TimeUnit.SECONDS);
            busy.awaitWrites(30);
            job.complete();
            succeed(job);
            assertThat(busy.depth()).isEqualTo(base + 1);
            busy.awaitWrites(30);
            busy.stopWriting();
            busy.assertDiskHolds(busy.model());
        }
    }

    @Test
    void aCommitThatIsGivenUpLeavesTheDiskAsItIs() throws Exception {
        try (var busy = new BusyDisk(folder, 12, CHAIN)) {
            busy.startWriting();
            BlockJob job =
                    jobs.commit(busy.disk, Optional.empty(), Optional.empty(), JobOptions.DEFAULT.withSpeed(100_000));
            job.cancel(true);
            assertThat(end(job).cancelled()).isTrue();
            busy.stopWriting();
            assertThat(busy.depth()).isEqualTo(3);
            busy.assertDiskHolds(busy.model());
        }
    }

    @Test
    void aCommitOfAMiddleLayerTakesItOutOfTheChain() throws Exception {
        try (var busy = new BusyDisk(folder, 13, CHAIN)) {
            busy.startWriting();
            succeed(jobs.commit(
                    busy.disk, Optional.of(busy.layers.get(1)), Optional.of(busy.layers.get(0)), JobOptions.DEFAULT));
            busy.awaitWrites(30);
            busy.stopWriting();
            assertThat(busy.depth()).isEqualTo(2);
            busy.assertDiskHolds(busy.model());
        }
        checkWithQemu(folder.resolve("layer2.qcow2"));
        assertThat(Peer.expect(folder, "qemu-img", "info", "layer2.qcow2")).contains("layer0.raw");
    }

    @Test
    void aCommitBelowALayerThatIsNotTheTopRelinksIt() throws Exception {
        List<ImageFormat> four = List.of(ImageFormat.RAW, ImageFormat.QCOW2, ImageFormat.QCOW2, ImageFormat.QCOW2);
        try (var busy = new BusyDisk(folder, 14, four)) {
            busy.startWriting();
            succeed(jobs.commit(
                    busy.disk, Optional.of(busy.layers.get(1)), Optional.of(busy.layers.get(0)), JobOptions.DEFAULT));
            busy.stopWriting();
            assertThat(busy.depth()).isEqualTo(3);
            busy.assertDiskHolds(busy.model());
        }
        assertThat(Peer.expect(folder, "qemu-img", "info", "layer2.qcow2")).contains("layer0.raw");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0})
    void aStreamedDiskStandsWithoutTheLayersBelow(int base) throws Exception {
        try (var busy = new BusyDisk(folder, 16 + base, CHAIN)) {
            busy.startWriting();
            succeed(jobs.stream(
                    busy.disk, base < 0 ? Optional.empty() : Optional.of(busy.layers.get(base)), JobOptions.DEFAULT));
            assertThat(busy.depth()).isEqualTo(base + 2);
            busy.awaitWrites(30);
            busy.stopWriting();
            busy.assertDiskHolds(busy.model());
        }
        checkWithQemu(folder.resolve("layer2.qcow2"));
    }

    @Test
    void aSnapshotKeepsTheDiskAtTheInstantBelowTheNewLayer() throws Exception {
        try (var busy = new BusyDisk(folder, 18, CHAIN)) {
            busy.startWriting();
            byte[] expected = busy.disk.alone(() -> {
                jobs.snapshot(busy.disk, target(ImageFormat.QCOW2));
                return busy.model();
            });
            busy.awaitWrites(30);
            busy.stopWriting();
            assertThat(busy.depth()).isEqualTo(4);
            busy.assertDiskHolds(busy.model());
            BusyDisk.assertHolds(folder.resolve("layer2.qcow2"), ImageFormat.QCOW2, expected);
            assertThatThrownBy(() -> jobs.snapshot(
                            busy.disk, new BlockJobs.Target(folder.resolve("none"), ImageFormat.QCOW2, true)))
                    .hasMessageContaining("no such file");
            busy.assertDiskHolds(busy.model());
        }
        checkWithQemu(folder.resolve("copy.qcow2"));
    }

    @Test
    void speedPauseAndProgressAreTold() throws Exception {
        try (var busy = new BusyDisk(folder, 19, List.of(ImageFormat.QCOW2))) {
            BlockJob job = jobs.backup(
                    busy.disk,
                    target(ImageFormat.QCOW2),
                    SyncMode.FULL,
                    Optional.empty(),
                    false,
                    JobOptions.DEFAULT.withSpeed(500_000));
            assertThat(jobs.list()).containsExactly(job);
            assertThat(job.await(300, TimeUnit.MILLISECONDS).state()).isEqualTo(JobState.RUNNING);
            job.pause();
            assertThat(job.status().state()).isEqualTo(JobState.PAUSED);
            long done = job.status().doneBytes();
            assertThat(done).isLessThan(BusyDisk.SIZE);
            job.setSpeed(0);
            job.await(50, TimeUnit.MILLISECONDS);
            assertThat(job.status().doneBytes()).isBetween(done, done + (1 << 20));
            job.resume();
            succeed(job);
            assertThat(job.status().doneBytes()).isEqualTo(BusyDisk.SIZE);
            assertThat(jobs.list()).isEmpty();
        }
    }

    @Test
    void aFullTargetEndsTheJobOrPausesItAndTheGuestGoesOn() throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        var mount =
                Peer.run(folder, "", List.of("mount", "-t", "tmpfs", "-o", "size=1m", "jvirt-test", small.toString()));
        org.junit.jupiter.api.Assumptions.assumeTrue(
                mount.code() == 0, "may not mount a small file system: run this test as root");
        try (var busy = new BusyDisk(folder, 20, List.of(ImageFormat.QCOW2))) {
            busy.startWriting();
            var full = new BlockJobs.Target(small.resolve("copy"), ImageFormat.RAW, false);
            assertThat(end(jobs.backup(busy.disk, full, SyncMode.FULL, Optional.empty(), false, JobOptions.DEFAULT))
                            .error())
                    .hasValueSatisfying(why -> assertThat(why).contains("ENOSPC"));
            busy.stopWriting();
            BlockJob job = jobs.mirror(
                    busy.disk,
                    full,
                    SyncMode.FULL,
                    JobOptions.DEFAULT.withErrors(ErrorAction.REPORT, ErrorAction.ENOSPC));
            JobStatus paused = job.await(JobState.PAUSED, 60, TimeUnit.SECONDS);
            assertThat(paused.state()).isEqualTo(JobState.PAUSED);
            assertThat(paused.error()).isPresent();
            Peer.expect(folder, "mount", "-o", "remount,size=16m", small.toString());
            job.resume();
            job.await(JobState.READY, 60, TimeUnit.SECONDS);
            job.cancel(false);
            succeed(job);
            BusyDisk.assertHolds(small.resolve("copy"), ImageFormat.RAW, busy.model());
        } finally {
            Peer.expect(folder, "umount", small.toString());
        }
    }

    @Test
    void whatCannotBeIsRefusedAndLeavesTheDiskAsItIs() throws Exception {
        try (var busy = new BusyDisk(folder, 21, List.of(ImageFormat.RAW))) {
            assertThatThrownBy(() -> jobs.stream(busy.disk, Optional.empty(), JobOptions.DEFAULT))
                    .hasMessageContaining("no layer lies between");
            assertThatThrownBy(() -> jobs.commit(busy.disk, Optional.empty(), Optional.empty(), JobOptions.DEFAULT))
                    .hasMessageContaining("must lie below");
            assertThatThrownBy(() -> jobs.addBitmap(busy.disk, "b", 0, true)).hasMessageContaining("only qcow2");
            assertThatThrownBy(() -> jobs.mirror(
                            busy.disk,
                            new BlockJobs.Target(busy.layers.getFirst(), ImageFormat.RAW, true),
                            SyncMode.FULL,
                            JobOptions.DEFAULT))
                    .isInstanceOf(UserErrorException.class);
            assertThatThrownBy(() -> jobs.backup(
                            busy.disk,
                            target(ImageFormat.QCOW2),
                            SyncMode.INCREMENTAL,
                            Optional.of("none"),
                            false,
                            JobOptions.DEFAULT))
                    .hasMessageContaining("no bitmap 'none'");
            assertThat(jobs.list()).isEmpty();
            busy.assertDiskHolds(busy.model());
        }
    }
}
