package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.format.DiskImage;

/// Makes a layer fit upon other layers than those below it now.
public final class ImageRebase {
    private static final long PIECE_BYTES = 2 << 20;

    private ImageRebase() {}

    /// Copies into `top` what would read differently if `newBase` lay below; the note of what lies below stays as
    /// it is.
    ///
    /// @param newBase empty for nothing: what is below is copied unless it is zeroes
    public static void prepare(DiskImage top, Optional<DiskImage> newBase, Progress progress) throws IOException {
        long cluster = Math.clamp(top.clusterBytes(), 512, PIECE_BYTES);
        long total = top.sizeBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment old = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment fresh = arena.allocate(PIECE_BYTES, 4096);
            for (long at = 0; at < total; ) {
                BlockStatus here = ChainMap.at(top, at, total - at, 1);
                long end = here.end();
                if (!here.present()) {
                    end = Math.min(end, at + PIECE_BYTES);
                    copyDifferences(top, newBase, at, end, cluster, old, fresh);
                }
                at = end;
                progress.at(at, total);
            }
        }
        top.flush();
    }

    private static void copyDifferences(
            DiskImage top,
            Optional<DiskImage> newBase,
            long start,
            long end,
            long cluster,
            MemorySegment oldBuffer,
            MemorySegment newBuffer)
            throws IOException {
        if (isZero(top, start, end) && isZero(newBase, start, end)) {
            return;
        }
        MemorySegment old = oldBuffer.asSlice(0, end - start);
        MemorySegment fresh = newBuffer.asSlice(0, end - start);
        top.read(start, List.of(old));
        readPadded(newBase, start, fresh);
        for (long at = 0; at < old.byteSize(); ) {
            // Whole clusters, so that none has to be filled up from below.
            long length = Math.min(cluster - (start + at) % cluster, old.byteSize() - at);
            MemorySegment part = old.asSlice(at, length);
            if (part.mismatch(fresh.asSlice(at, length)) >= 0) {
                if (ZeroScan.isZero(part, 0, length)) {
                    top.writeZeroes(start + at, length, true);
                } else {
                    top.write(start + at, List.of(part));
                }
            }
            at += length;
        }
    }

    private static boolean isZero(Optional<DiskImage> image, long start, long end) throws IOException {
        return image.isEmpty()
                || start >= image.get().sizeBytes()
                || isZero(image.get(), start, Math.min(end, image.get().sizeBytes()));
    }

    private static boolean isZero(DiskImage image, long start, long end) throws IOException {
        for (long at = start; at < end; ) {
            BlockStatus status = ChainMap.at(image, at, end - at);
            if (!status.zero()) {
                return false;
            }
            at = status.end();
        }
        return true;
    }

    private static void readPadded(Optional<DiskImage> image, long offsetBytes, MemorySegment into) throws IOException {
        long inside = image.isEmpty() ? 0 : Math.clamp(image.get().sizeBytes() - offsetBytes, 0, into.byteSize());
        if (inside > 0) {
            image.get().read(offsetBytes, List.of(into.asSlice(0, inside)));
        }
        into.asSlice(inside).fill((byte) 0);
    }
}
