package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jvirt.core.HostFailureException;
import org.jvirt.images.format.DiskImage;

/// Sends plain requests to an image, to see how fast they are.
///
/// @param requests      how many in all
/// @param depth         how many at once
/// @param stepBytes     from the start of one request to the next; they start over at the end of the disk
/// @param pattern       what every byte is that is written
/// @param flushEvery    after how many writes comes a flush; 0 for never
public record ImageBench(
        long requests,
        int depth,
        int requestBytes,
        long offsetBytes,
        long stepBytes,
        boolean write,
        byte pattern,
        long flushEvery) {
    private static final int MAX_THREADS = 64;

    /// @return how long that took
    public long runNanos(DiskImage image) throws IOException {
        long started = System.nanoTime();
        var next = new AtomicLong();
        try (ExecutorService threads = Executors.newFixedThreadPool(
                Math.clamp(depth, 1, MAX_THREADS),
                Thread.ofPlatform().name("image-bench-", 0).daemon().factory())) {
            var running = new ArrayList<Future<?>>();
            for (int i = 0; i < Math.min(depth, MAX_THREADS); i++) {
                running.add(threads.submit(() -> {
                    send(image, next);
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case null, default -> throw new IllegalStateException("A thread failed", e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostFailureException("The benchmark was interrupted", e);
        }
        return System.nanoTime() - started;
    }

    private void send(DiskImage image, AtomicLong next) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(requestBytes, 4096);
            buffer.fill(pattern);
            long positions = Math.max(1, (image.sizeBytes() - offsetBytes - requestBytes) / stepBytes + 1);
            for (long index = next.getAndIncrement(); index < requests; index = next.getAndIncrement()) {
                long at = offsetBytes + index % positions * stepBytes;
                if (write) {
                    image.write(at, List.of(buffer));
                    if (flushEvery > 0 && (index + 1) % flushEvery == 0) {
                        image.flush();
                    }
                } else {
                    image.read(at, List.of(buffer));
                }
            }
        }
    }
}
