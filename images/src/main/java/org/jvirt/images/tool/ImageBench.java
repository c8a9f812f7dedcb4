package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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
        Workers.run("image-bench", Math.clamp(depth, 1, MAX_THREADS), () -> send(image, next));
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
