package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Several queues at once, with flushes and snapshots in between: each queue finds what it wrote.
class Qcow2ParallelTest {
    private static final int SECTOR = 512;
    private static final int SECTORS = 4096;
    private static final int THREADS = 4;
    private static final int OPERATIONS = 1500;

    static Stream<TestImage.Variant> variants() {
        return Stream.of(
                TestImage.variant("default", 0),
                TestImage.variant("small clusters on a layer below", 500_000, "cluster_size=2K"),
                TestImage.variant("extended L2", 500_000, "cluster_size=64K", "extended_l2=on"),
                TestImage.variant("lazy refcounts", 0, "cluster_size=4K", "lazy_refcounts=on"));
    }

    @ParameterizedTest
    @MethodSource("variants")
    @Timeout(60)
    void queuesDoNotDisturbEachOther(TestImage.Variant variant) throws Exception {
        byte[] below = new byte[variant.backingBytes()];
        new Random(9).nextBytes(below);
        var opener = TestImage.create(variant, (long) SECTORS * SECTOR, below);
        byte[] model = Arrays.copyOf(below, SECTORS * SECTOR);
        try (var image = TestImage.open(
                        opener.file("disk.qcow2"), opener, false, java.util.Map.of("l2-cache-size", "64K"));
                var threads = Executors.newFixedThreadPool(THREADS + 1)) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                int queue = t;
                running.add(threads.submit(() -> {
                    queue(image, model, queue);
                    return null;
                }));
            }
            running.add(threads.submit(() -> {
                maintain(image);
                return null;
            }));
            for (Future<?> each : running) {
                try {
                    each.get(50, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    throw new AssertionError(variant.name(), e.getCause());
                }
            }
            assertThat(Arrays.mismatch(TestImage.read(image), model))
                    .as(variant.name())
                    .isEqualTo(-1);
        }
        TestImage.assertSound(TestImage.check(opener.file("disk.qcow2"), opener));
    }

    /// Sectors are dealt out in turn, so that queues share clusters and subclusters.
    private static void queue(Qcow2Image image, byte[] model, int queue) throws IOException {
        var random = new Random(queue);
        byte[] sector = new byte[SECTOR];
        for (int i = 0; i < OPERATIONS; i++) {
            int at = (random.nextInt(SECTORS / THREADS) * THREADS + queue) * SECTOR;
            switch (random.nextInt(8)) {
                case 0 -> {
                    image.writeZeroes(at, SECTOR, random.nextBoolean());
                    Arrays.fill(model, at, at + SECTOR, (byte) 0);
                }
                case 1, 2 -> {
                    image.read(at, List.of(MemorySegment.ofArray(sector)));
                    assertThat(Arrays.equals(sector, 0, SECTOR, model, at, at + SECTOR))
                            .as("queue %d, step %d, offset %d", queue, i, at)
                            .isTrue();
                }
                default -> {
                    random.nextBytes(sector);
                    image.write(at, List.of(MemorySegment.ofArray(sector)));
                    System.arraycopy(sector, 0, model, at, SECTOR);
                }
            }
            if (i % 200 == 0) {
                image.flush();
            }
        }
    }

    private static void maintain(Qcow2Image image) throws IOException {
        var snapshots = image.snapshots().orElseThrow();
        for (int i = 0; i < 20; i++) {
            String id = snapshots
                    .create("s", Instant.EPOCH, 0, OptionalLong.empty(), 0)
                    .id();
            image.flush();
            snapshots.delete(id);
        }
    }
}
