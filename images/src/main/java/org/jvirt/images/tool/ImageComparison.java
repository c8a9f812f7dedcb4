package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.format.DiskImage;

/// Compares what two disks read as.
public final class ImageComparison {
    private static final int PIECE_BYTES = 2 << 20;
    private static final int SECTOR_BYTES = 512;

    private ImageComparison() {}

    /// What a comparison finds.
    public sealed interface Result {
        /// They read alike; a longer one has zeroes behind the end of the other.
        record Identical(boolean sizesDiffer) implements Result {}

        /// Their content differs.
        ///
        /// @param offsetBytes the first sector that does
        record Different(long offsetBytes, boolean sizesDiffer) implements Result {}

        /// They are not equally long, or store a range in different ways; only of strict comparisons.
        record StoredDifferently(long offsetBytes) implements Result {}

        record SizesDiffer() implements Result {}
    }

    /// @param strict whether sizes, and what is stored at all, must be alike too
    public static Result compare(DiskImage first, DiskImage second, boolean strict, Progress progress)
            throws IOException {
        boolean sizesDiffer = first.sizeBytes() != second.sizeBytes();
        if (strict && sizesDiffer) {
            return new Result.SizesDiffer();
        }
        long common = Math.min(first.sizeBytes(), second.sizeBytes());
        long total = Math.max(first.sizeBytes(), second.sizeBytes());
        DiskImage longer = first.sizeBytes() > second.sizeBytes() ? first : second;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment right = arena.allocate(PIECE_BYTES, 4096);
            for (long at = 0; at < total; ) {
                BlockStatus a = at < common ? ChainMap.at(first, at, common - at) : ChainMap.at(longer, at, total - at);
                BlockStatus b = at < common ? ChainMap.at(second, at, a.lengthBytes()) : a;
                if (strict && (a.present() != b.present() || a.zero() != b.zero())) {
                    return new Result.StoredDifferently(at);
                }
                long length = Math.min(a.lengthBytes(), b.lengthBytes());
                boolean tail = at >= common;
                if (!(a.zero() && b.zero())) {
                    length = Math.min(length, PIECE_BYTES);
                    long mismatch = tail
                            ? firstData(read(longer, at, left.asSlice(0, length)))
                            : mismatch(
                                    read(first, at, left.asSlice(0, length)),
                                    read(second, at, right.asSlice(0, length)));
                    if (mismatch >= 0) {
                        return new Result.Different(at + mismatch / SECTOR_BYTES * SECTOR_BYTES, sizesDiffer);
                    }
                }
                at += length;
                progress.at(at, total);
            }
        }
        return new Result.Identical(sizesDiffer);
    }

    private static MemorySegment read(DiskImage image, long offsetBytes, MemorySegment into) throws IOException {
        image.read(offsetBytes, List.of(into));
        return into;
    }

    private static long mismatch(MemorySegment left, MemorySegment right) {
        return left.mismatch(right);
    }

    private static long firstData(MemorySegment content) {
        for (long at = 0; at < content.byteSize(); at += SECTOR_BYTES) {
            if (!ZeroScan.isZero(content, at, Math.min(SECTOR_BYTES, content.byteSize() - at))) {
                return at;
            }
        }
        return -1;
    }
}
