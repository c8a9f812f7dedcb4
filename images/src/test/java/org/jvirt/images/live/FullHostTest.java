package org.jvirt.images.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.Peer;
import org.jvirt.testkit.ManualClock;

/// Disks on a host file system that is really full: a tmpfs of 4 MiB.
@Timeout(60)
final class FullHostTest {
    private static final int PIECE = 64 << 10;

    @TempDir
    private Path folder;

    private boolean mounted;

    @AfterEach
    void unmount() {
        if (mounted) {
            Peer.expect(folder, "umount", folder.resolve("small").toString());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ImageFormat.class,
            names = {"RAW", "QCOW2"})
    void theMachineStopsUntilThereIsRoomAndNothingIsLost(ImageFormat format) throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        mounted = Peer.run(folder, "", List.of("mount", "-t", "tmpfs", "-o", "size=4m", "jvirt-test", small.toString()))
                        .code()
                == 0;
        Assumptions.assumeTrue(mounted, "may not mount a small file system: run this test as root");
        Path ballast = Files.write(small.resolve("ballast"), new byte[2 << 20]);
        Path file = small.resolve("disk");
        var access = new ImageAccess();
        access.create(format, file.toString(), 3 << 20, Map.of());
        var stopped = new CountDownLatch(1);
        byte[] content = new byte[3 << 20];
        try (var disk = new LiveDisk(
                access.open(ImageReference.ofFile(file), Optional.of(format), ImageOpening.writing()),
                LiveSettings.DEFAULT.withId("d"),
                new Throttle(DiskLimits.NONE, new ManualClock()),
                (_, failure) -> {
                    assertThat(ErrorPolicy.outOfSpace(failure)).isTrue();
                    stopped.countDown();
                })) {
            var writing = CompletableFuture.runAsync(() -> fill(disk, content));
            assertThat(stopped.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(writing).isNotDone();
            while (!disk.standing()) {
                Thread.onSpinWait();
            }
            assertThat(disk.failure()).hasValueSatisfying(e -> assertThat(e).hasMessageContaining("ENOSPC"));
            Files.delete(ballast);
            while (!writing.isDone()) {
                disk.release();
                Thread.onSpinWait();
            }
            writing.get(30, TimeUnit.SECONDS);
        }
        try (var again = access.open(ImageReference.ofFile(file), Optional.of(format), ImageOpening.writing())) {
            byte[] read = new byte[content.length];
            again.read(0, List.of(MemorySegment.ofArray(read)));
            assertThat(Arrays.equals(read, content)).isTrue();
            if (format == ImageFormat.QCOW2) {
                assertThat(again.check(Repair.NONE).corruptions()).isZero();
            }
        }
    }

    private static void fill(LiveDisk disk, byte[] content) {
        try {
            for (int at = 0; at < content.length; at += PIECE) {
                Arrays.fill(content, at, at + PIECE, (byte) (at / PIECE + 1));
                disk.write(at, List.of(MemorySegment.ofArray(content).asSlice(at, PIECE)));
                disk.flush();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
