package org.jvirt.images.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RamDisk;

@Timeout(60)
final class LiveDiskTest {
    private static final int SIZE = 1 << 20;

    @TempDir
    private Path folder;

    private final RamDisk below = new RamDisk(SIZE, false);
    private final AtomicInteger stops = new AtomicInteger();
    private final CountDownLatch stopped = new CountDownLatch(1);

    private LiveDisk disk(ErrorAction reads, ErrorAction writes) {
        var clock = new ManualClock();
        return new LiveDisk(
                below,
                LiveSettings.DEFAULT.withId("d").withErrors(new ErrorPolicy(reads, writes)),
                new Throttle(DiskLimits.NONE, clock),
                (_, _) -> {
                    stops.incrementAndGet();
                    stopped.countDown();
                });
    }

    private static List<MemorySegment> bytes(int length, int value) {
        MemorySegment segment = MemorySegment.ofArray(new byte[length]);
        segment.fill((byte) value);
        return List.of(segment);
    }

    @Test
    void aHeldRequestIsTriedAgainAndTheGuestNeverHearsOfTheFailure() throws Exception {
        LiveDisk disk = disk(ErrorAction.REPORT, ErrorAction.STOP);
        below.fail(true);
        var write = CompletableFuture.runAsync(() -> {
            try {
                disk.write(4096, bytes(512, 7));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(stopped.await(30, TimeUnit.SECONDS)).isTrue();
        while (!disk.standing()) {
            Thread.onSpinWait();
        }
        assertThat(disk.failure()).hasValueSatisfying(e -> assertThat(e).hasMessageContaining("told to fail"));
        // Still failing: held once more.
        disk.release();
        while (stops.get() < 2) {
            Thread.onSpinWait();
        }
        assertThat(write).isNotDone();
        below.fail(false);
        disk.release();
        write.get(30, TimeUnit.SECONDS);
        assertThat(below.content()[4096]).isEqualTo((byte) 7);
        assertThat(disk.failure()).isEmpty();
        assertThat(disk.standing()).isFalse();
    }

    @Test
    void whatIsReportedReachesTheGuestAndWhatIsIgnoredDoesNot() throws IOException {
        LiveDisk disk = disk(ErrorAction.REPORT, ErrorAction.IGNORE);
        below.fail(true);
        assertThatThrownBy(() -> disk.read(0, bytes(512, 0))).isInstanceOf(IOException.class);
        disk.write(0, bytes(512, 1));
        disk.flush();
        assertThat(stops).hasValue(0);
    }

    @Test
    void onlyAFullHostStopsTheMachineByDefault() throws Exception {
        LiveDisk disk = disk(ErrorPolicy.DEFAULT.reads(), ErrorPolicy.DEFAULT.writes());
        below.fail(true);
        assertThatThrownBy(() -> disk.write(0, bytes(512, 1))).hasMessageContaining("told to fail");
        assertThatThrownBy(disk::flush).hasMessageContaining("told to fail");
        assertThat(stops).hasValue(0);
    }

    @Test
    void aRequestIsGivenUpWhenTheMachineEnds() throws Exception {
        LiveDisk disk = disk(ErrorAction.STOP, ErrorAction.STOP);
        below.fail(true);
        var read = CompletableFuture.runAsync(() ->
                assertThatThrownBy(() -> disk.read(0, bytes(512, 0))).isInstanceOf(IOException.class));
        assertThat(stopped.await(30, TimeUnit.SECONDS)).isTrue();
        disk.giveUp(true);
        read.get(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> disk.read(0, bytes(512, 0))).isInstanceOf(IOException.class);
    }

    @Test
    void requestsOutsideOfTheDiskFailWhateverThePolicy() {
        LiveDisk disk = disk(ErrorAction.STOP, ErrorAction.STOP);
        assertThatThrownBy(() -> disk.write(SIZE - 512, bytes(1024, 1))).hasMessageContaining("it has 1048576 bytes");
        assertThatThrownBy(() -> disk.read(-512, bytes(512, 1))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> disk.discard(Long.MAX_VALUE, 512)).isInstanceOf(IOException.class);
        assertThat(stops).hasValue(0);
    }

    @Test
    void nothingIsUnderWayWhileSomethingHappensAlone() throws Exception {
        LiveDisk disk = disk(ErrorAction.REPORT, ErrorAction.REPORT);
        var running = new AtomicInteger();
        disk.alone(() -> {
            disk.watch(new ChangeWatcher() {
                @Override
                public void changing(long offsetBytes, long lengthBytes) {
                    running.incrementAndGet();
                }

                @Override
                public void changed(long offsetBytes, long lengthBytes) {
                    running.decrementAndGet();
                }
            });
            return null;
        });
        var end = new java.util.concurrent.atomic.AtomicBoolean();
        List<Thread> writers = java.util.stream.IntStream.range(0, 3)
                .mapToObj(i -> Thread.ofPlatform().start(() -> {
                    try {
                        for (long n = 0; !end.get(); n++) {
                            disk.write((n * 3 + i) % 100 * 512, bytes(512, i));
                        }
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }))
                .toList();
        for (int i = 0; i < 500; i++) {
            assertThat(disk.alone(running::get)).isZero();
        }
        end.set(true);
        for (Thread writer : writers) {
            writer.join();
        }
    }

    @Test
    void aDiskGrowsAndShrinksWhileItIsUsedAndSaysSo() throws IOException {
        Path file = folder.resolve("d.qcow2");
        var access = new ImageAccess();
        access.create(ImageFormat.QCOW2, file.toString(), SIZE, Map.of());
        DiskImage image =
                access.open(ImageReference.ofFile(file), Optional.of(ImageFormat.QCOW2), ImageOpening.writing());
        try (var disk = new LiveDisk(
                image,
                LiveSettings.DEFAULT.withId("d"),
                new Throttle(DiskLimits.NONE, new ManualClock()),
                (_, _) -> {})) {
            var told = new AtomicInteger();
            disk.onResize(told::incrementAndGet);
            disk.resize(3 * SIZE);
            assertThat(told).hasValue(1);
            assertThat(disk.sizeBytes()).isEqualTo(3 * SIZE);
            disk.write(3 * SIZE - 512, bytes(512, 9));
            assertThatThrownBy(() -> disk.resize(1000)).hasMessageContaining("multiple of 512");
            disk.resize(SIZE);
            assertThatThrownBy(() -> disk.read(SIZE, bytes(512, 0))).isInstanceOf(IOException.class);
        }
    }
}
