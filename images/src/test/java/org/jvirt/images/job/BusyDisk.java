package org.jvirt.images.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.ChangeWatcher;
import org.jvirt.images.live.DiskLimits;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.live.Throttle;
import org.jvirt.testkit.ManualClock;

/// A disk of several layers that threads write to, and an array that says what it holds. Each thread has blocks
/// of its own, between those of the others, so that they share clusters but no bytes.
final class BusyDisk implements AutoCloseable, ChangeWatcher {
    static final int SIZE = 6 << 20;
    private static final int BLOCK = 4096;
    private static final int THREADS = 3;
    /// What each thread is writing.
    private static final ThreadLocal<Change> CURRENT = new ThreadLocal<>();

    private record Change(byte[] content, boolean zeroes) {}

    final LiveDisk disk;
    final List<Path> layers = new ArrayList<>();
    private final byte[] model = new byte[SIZE];
    private final List<Thread> writers = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicLong writes = new AtomicLong();
    private final long seed;
    private volatile boolean stopping;

    /// @param formats from the lowest layer to the top
    BusyDisk(Path folder, long seed, List<ImageFormat> formats) throws IOException {
        this.seed = seed;
        var access = new ImageAccess();
        var random = new Random(seed);
        Path below = null;
        for (ImageFormat format : formats) {
            Path file = folder.resolve("layer%d.%s".formatted(layers.size(), format.formatName()));
            access.create(
                    format,
                    file.toString(),
                    SIZE,
                    below == null
                            ? Map.of()
                            : Map.of(
                                    "backing_file",
                                    below.getFileName().toString(),
                                    "backing_fmt",
                                    formats.get(layers.size() - 1).formatName()));
            try (DiskImage image =
                    access.open(ImageReference.ofFile(file), Optional.of(format), ImageOpening.writing())) {
                for (int i = 0; i < 40; i++) {
                    int at = random.nextInt(SIZE / BLOCK) * BLOCK;
                    int length = Math.min(SIZE - at, (1 + random.nextInt(40)) * BLOCK);
                    byte[] content = new byte[length];
                    if (random.nextInt(4) > 0) {
                        random.nextBytes(content);
                        image.write(at, List.of(MemorySegment.ofArray(content)));
                    } else {
                        image.writeZeroes(at, length, true);
                    }
                    System.arraycopy(content, 0, model, at, length);
                }
            }
            layers.add(file);
            below = file;
        }
        ImageFormat top = formats.getLast();
        disk = new LiveDisk(
                access.open(ImageReference.ofFile(below), Optional.of(top), ImageOpening.writing()),
                LiveSettings.DEFAULT.withId("d"),
                new Throttle(DiskLimits.NONE, new ManualClock()),
                (_, _) -> {});
        disk.alone(() -> {
            disk.watch(this);
            return null;
        });
    }

    void startWriting() {
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            writers.add(Thread.ofPlatform().start(() -> {
                try {
                    write(number);
                } catch (IOException | RuntimeException | Error e) {
                    failure.set(e);
                }
            }));
        }
        awaitWrites(20);
    }

    /// Waits until so many more writes are done.
    void awaitWrites(int more) {
        long until = writes.get() + more;
        while (writes.get() < until && failure.get() == null) {
            Thread.onSpinWait();
        }
    }

    private void write(int number) throws IOException {
        var random = new Random(seed * 31 + number);
        while (!stopping) {
            int block = random.nextInt(SIZE / BLOCK / THREADS) * THREADS + number;
            byte[] content = new byte[BLOCK];
            boolean zeroes = random.nextInt(8) == 0;
            if (!zeroes) {
                random.nextBytes(content);
            }
            CURRENT.set(new Change(content, zeroes));
            if (zeroes) {
                disk.writeZeroes((long) block * BLOCK, BLOCK, random.nextBoolean());
            } else {
                disk.write((long) block * BLOCK, List.of(MemorySegment.ofArray(content)));
            }
            if (random.nextInt(50) == 0) {
                disk.flush();
            }
            writes.incrementAndGet();
        }
    }

    void stopWriting() throws InterruptedException {
        stopping = true;
        for (Thread writer : writers) {
            writer.join();
        }
        assertThat(failure.get()).isNull();
    }

    @Override
    public void changing(long offsetBytes, long lengthBytes) {}

    @Override
    public void changed(long offsetBytes, long lengthBytes) {
        System.arraycopy(CURRENT.get().content(), 0, model, (int) offsetBytes, (int) lengthBytes);
    }

    /// What it holds now; alone, or while nobody writes.
    byte[] model() {
        return model.clone();
    }

    static byte[] read(DiskImage image) throws IOException {
        byte[] content = new byte[(int) image.sizeBytes()];
        image.read(0, List.of(MemorySegment.ofArray(content)));
        return content;
    }

    static void assertHolds(Path file, ImageFormat format, byte[] expected) throws IOException {
        try (DiskImage image =
                new ImageAccess().open(ImageReference.ofFile(file), Optional.of(format), ImageOpening.reading())) {
            assertThat(Arrays.mismatch(read(image), expected)).isEqualTo(-1);
        }
    }

    void assertDiskHolds(byte[] expected) throws IOException {
        byte[] content = new byte[SIZE];
        disk.read(0, List.of(MemorySegment.ofArray(content)));
        assertThat(Arrays.mismatch(content, expected)).isEqualTo(-1);
    }

    int depth() {
        return Layers.of(disk).all().size();
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        for (Thread writer : writers) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        disk.close();
    }
}
