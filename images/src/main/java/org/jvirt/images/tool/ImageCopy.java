package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jvirt.images.format.DiskImage;

/// Copies a disk's content from image to image.
///
/// ```
/// CopyPlan ── next piece, in the order of the disk ──> thread 1 … n: read, look for zeroes, compress
///                                                                    │
///                                                           WriteOrder (unless out of order) ──> target
/// ```
///
/// Holes of the source are not read, and zeroes not written where the target has them anyway. To be used once.
public final class ImageCopy {
    /// Enough for the host to work at full speed, and little enough to stay in the processor's cache.
    private static final int PIECE_BYTES = 1 << 20;

    private final CopySource source;
    private final DiskImage target;
    private final CopyOptions options;
    private final RateLimit limit;
    private final WriteOrder order = new WriteOrder();
    private final List<String> salvaged = new ArrayList<>(); // guarded by itself

    /// The target is at least as large as the source.
    public ImageCopy(CopySource source, DiskImage target, CopyOptions options) {
        this.source = source;
        this.target = target;
        this.options = options;
        limit = new RateLimit(options.bytesPerSecond());
    }

    /// Copies everything; on return it is written, though not flushed.
    ///
    /// @return what could not be read and became zeroes, one line each
    public List<String> run(Progress progress) throws IOException {
        int pieceBytes = options.compress() ? (int) target.clusterBytes() : PIECE_BYTES;
        var plan = new CopyPlan(source, target.sizeBytes(), pieceBytes, options, progress);
        Workers.run("image-copy", options.threads(), () -> work(plan, pieceBytes));
        synchronized (salvaged) {
            return List.copyOf(salvaged);
        }
    }

    private void work(CopyPlan plan, int pieceBytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(pieceBytes, 4096);
            for (CopyPlan.Piece piece = plan.next(); piece.lengthBytes() > 0; piece = plan.next()) {
                copy(piece, buffer);
                plan.done(piece);
            }
        } catch (IOException | RuntimeException | Error e) {
            plan.stop();
            order.stop();
            throw e;
        }
    }

    private void copy(CopyPlan.Piece piece, MemorySegment buffer) throws IOException {
        if (piece.kind() == CopySource.Kind.ZERO) {
            writeInTurn(piece, () -> writeZeroes(piece.offsetBytes(), piece.lengthBytes()));
        } else {
            copyData(piece, buffer.asSlice(0, piece.lengthBytes()));
        }
    }

    private void copyData(CopyPlan.Piece piece, MemorySegment buffer) throws IOException {
        long inSource = Math.clamp(source.length() - piece.offsetBytes(), 0, buffer.byteSize());
        read(piece.offsetBytes(), buffer.asSlice(0, inSource));
        buffer.asSlice(inSource).fill((byte) 0);
        limit.pass(buffer.byteSize());
        if (options.compress()) {
            if (options.sparseBytes() > 0 && ZeroScan.isZero(buffer, 0, buffer.byteSize())) {
                writeZeroes(piece.offsetBytes(), buffer.byteSize());
            } else {
                target.writeCompressed(piece.offsetBytes(), buffer);
            }
        } else if (options.sparseBytes() == 0) {
            writeInTurn(piece, () -> target.write(piece.offsetBytes(), List.of(buffer)));
        } else {
            long[] runs = zeroRuns(buffer);
            writeInTurn(piece, () -> writeRuns(piece.offsetBytes(), buffer, runs));
        }
    }

    private void read(long offsetBytes, MemorySegment into) throws IOException {
        try {
            source.read(offsetBytes, into);
        } catch (IOException e) {
            if (!options.salvage()) {
                throw e;
            }
            readBySectors(offsetBytes, into);
        }
    }

    private void readBySectors(long offsetBytes, MemorySegment into) {
        for (long at = 0; at < into.byteSize(); at += 512) {
            MemorySegment sector = into.asSlice(at, Math.min(512, into.byteSize() - at));
            try {
                source.read(offsetBytes + at, sector);
            } catch (IOException e) {
                sector.fill((byte) 0);
                synchronized (salvaged) {
                    salvaged.add("Cannot read %d bytes at %d: %s; zeroes take their place"
                            .formatted(sector.byteSize(), offsetBytes + at, e.getMessage()));
                }
            }
        }
    }

    /// The ends of the runs that a piece consists of: zeroes and others in turn, the first one zeroes, maybe empty.
    private long[] zeroRuns(MemorySegment buffer) {
        long[] ends = new long[(int) (buffer.byteSize() / options.sparseBytes()) + 3];
        int count = 0;
        long at = 0;
        if (!ZeroScan.isZero(buffer, 0, Math.min(options.sparseBytes(), buffer.byteSize()))) {
            ends[count++] = 0;
        }
        while (at < buffer.byteSize()) {
            at += ZeroScan.run(buffer, at, buffer.byteSize(), options.sparseBytes());
            ends[count++] = at;
        }
        return Arrays.copyOf(ends, count);
    }

    private void writeRuns(long offsetBytes, MemorySegment buffer, long[] ends) throws IOException {
        long start = 0;
        for (int i = 0; i < ends.length; i++) {
            if (ends[i] > start) {
                if (i % 2 == 0) {
                    writeZeroes(offsetBytes + start, ends[i] - start);
                } else {
                    target.write(offsetBytes + start, List.of(buffer.asSlice(start, ends[i] - start)));
                }
            }
            start = ends[i];
        }
    }

    private void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
        if (!options.targetIsZero()) {
            target.writeZeroes(offsetBytes, lengthBytes, true);
        }
    }

    private void writeInTurn(CopyPlan.Piece piece, Write write) throws IOException {
        if (options.outOfOrder() || options.compress()) {
            write.run();
        } else if (order.await(piece.index())) {
            try {
                write.run();
            } finally {
                order.done(piece.index());
            }
        }
    }

    @FunctionalInterface
    private interface Write {
        void run() throws IOException;
    }
}
