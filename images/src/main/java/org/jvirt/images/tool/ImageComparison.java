package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.format.DiskImage;

/// Compares what two disks read as, several pieces at a time. To be used once.
///
/// Pieces are handed out in the order of the disk, so the first difference is known when all that were handed out
/// before it are done. What a disk is known to have as zeroes is not read.
public final class ImageComparison {
    /// Small enough for the pieces of all threads to stay in the processor's cache.
    private static final int PIECE_BYTES = 512 << 10;

    private static final int SECTOR_BYTES = 512;
    private static final int MAX_THREADS = 8;

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

    /// @param left  whether the first disk has to be read there, because it is not known to have zeroes
    /// @param right the same of the second
    private record Piece(long offsetBytes, long lengthBytes, boolean left, boolean right) {
        static final Piece NONE = new Piece(0, 0, false, false);
    }

    private final DiskImage first;
    private final DiskImage second;
    private final boolean strict;
    private final Progress progress;
    private final long total;
    private final boolean sizesDiffer;

    // All below is guarded by this.
    private long atBytes;
    private long runEndBytes;
    private boolean leftData;
    private boolean rightData;
    private long doneBytes;
    private boolean stopped;
    private long foundAtBytes = Long.MAX_VALUE;
    private @Nullable Result found;

    private ImageComparison(DiskImage first, DiskImage second, boolean strict, Progress progress) {
        this.first = first;
        this.second = second;
        this.strict = strict;
        this.progress = progress;
        total = Math.max(first.sizeBytes(), second.sizeBytes());
        sizesDiffer = first.sizeBytes() != second.sizeBytes();
    }

    /// @param strict whether sizes, and what is stored at all, must be alike too
    public static Result compare(DiskImage first, DiskImage second, boolean strict, Progress progress)
            throws IOException {
        var comparison = new ImageComparison(first, second, strict, progress);
        return strict && comparison.sizesDiffer ? new Result.SizesDiffer() : comparison.run();
    }

    private Result run() throws IOException {
        int threads = Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
        Workers.run("image-compare", threads, this::work);
        synchronized (this) {
            return found != null ? found : new Result.Identical(sizesDiffer);
        }
    }

    private void work() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment right = arena.allocate(PIECE_BYTES, 4096);
            for (Piece piece = next(); piece.lengthBytes() > 0; piece = next()) {
                long mismatch = mismatch(piece, left, right);
                done(piece, mismatch);
            }
        } catch (IOException | RuntimeException | Error e) {
            stop();
            throw e;
        }
    }

    /// What is to be read next; of length 0 if there is nothing, or a difference was found before.
    private synchronized Piece next() throws IOException {
        while (!stopped && atBytes < total) {
            if (atBytes >= runEndBytes && !lookLocked()) {
                break;
            }
            long start = atBytes;
            if (leftData || rightData) {
                atBytes = Math.min(runEndBytes, start + PIECE_BYTES);
                return new Piece(start, atBytes - start, leftData, rightData);
            }
            atBytes = runEndBytes;
            countLocked(atBytes - start);
        }
        return Piece.NONE;
    }

    /// Finds out what is stored at `atBytes`.
    ///
    /// @return false if it is stored differently and must not
    private boolean lookLocked() throws IOException {
        long limit = total - atBytes;
        @Nullable BlockStatus left = statusLocked(first, limit);
        @Nullable BlockStatus right = statusLocked(second, left == null ? limit : left.lengthBytes());
        if (strict
                && left != null
                && right != null
                && (left.present() != right.present() || left.zero() != right.zero())) {
            foundLocked(atBytes, new Result.StoredDifferently(atBytes));
            return false;
        }
        leftData = left != null && left.data();
        rightData = right != null && right.data();
        long length = left == null ? limit : left.lengthBytes();
        runEndBytes = atBytes + (right == null ? length : Math.min(length, right.lengthBytes()));
        return true;
    }

    /// @return null behind the end of the disk, where there is nothing but zeroes
    private @Nullable BlockStatus statusLocked(DiskImage image, long limit) throws IOException {
        long left = image.sizeBytes() - atBytes;
        return left <= 0 ? null : ChainMap.at(image, atBytes, Math.min(limit, left));
    }

    private long mismatch(Piece piece, MemorySegment left, MemorySegment right) throws IOException {
        if (!piece.left) {
            return firstData(read(second, piece, right));
        }
        if (!piece.right) {
            return firstData(read(first, piece, left));
        }
        return read(first, piece, left).mismatch(read(second, piece, right));
    }

    private static MemorySegment read(DiskImage image, Piece piece, MemorySegment into) throws IOException {
        MemorySegment part = into.asSlice(0, piece.lengthBytes);
        image.read(piece.offsetBytes, List.of(part));
        return part;
    }

    private static long firstData(MemorySegment content) {
        if (ZeroScan.isZero(content, 0, content.byteSize())) {
            return -1;
        }
        long at = 0;
        while (ZeroScan.isZero(content, at, Math.min(SECTOR_BYTES, content.byteSize() - at))) {
            at += SECTOR_BYTES;
        }
        return at;
    }

    private synchronized void done(Piece piece, long mismatch) {
        if (mismatch >= 0) {
            long sector = piece.offsetBytes + mismatch / SECTOR_BYTES * SECTOR_BYTES;
            foundLocked(sector, new Result.Different(sector, sizesDiffer));
        }
        countLocked(piece.lengthBytes);
    }

    /// Of several findings the first on the disk counts.
    private void foundLocked(long offsetBytes, Result result) {
        stopped = true;
        if (offsetBytes < foundAtBytes) {
            foundAtBytes = offsetBytes;
            found = result;
        }
    }

    private void countLocked(long bytes) {
        doneBytes += bytes;
        progress.at(doneBytes, total);
    }

    private synchronized void stop() {
        stopped = true;
    }
}
