package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Preallocation;

/// Writes what layers hold into a layer below them.
public final class ImageCommit {
    private static final int PIECE_BYTES = 2 << 20;

    private ImageCommit() {}

    /// Afterwards `base` reads as `top` does. Only then may the layers above be emptied.
    ///
    /// @param top    the top of the chain
    /// @param layers how many layers of the chain lie above the base, at least one
    /// @param base   the layer below them, opened for writing; what lies below it stays as it is
    public static void commit(DiskImage top, int layers, DiskImage base, long bytesPerSecond, Progress progress)
            throws IOException {
        if (base.sizeBytes() < top.sizeBytes()) {
            base.resize(top.sizeBytes(), Preallocation.OFF);
        }
        var limit = new RateLimit(bytesPerSecond);
        long total = top.sizeBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            for (long at = 0; at < total; ) {
                BlockStatus status = ChainMap.at(top, at, total - at, layers);
                long length = status.lengthBytes();
                if (status.present() && status.zero()) {
                    base.writeZeroes(at, length, true);
                } else if (status.present()) {
                    length = Math.min(length, PIECE_BYTES);
                    MemorySegment part = buffer.asSlice(0, length);
                    limit.pass(length);
                    top.read(at, List.of(part));
                    base.write(at, List.of(part));
                }
                at += length;
                progress.at(at, total);
            }
        }
        base.flush();
    }
}
