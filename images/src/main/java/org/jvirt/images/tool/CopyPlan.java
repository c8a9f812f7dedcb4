package org.jvirt.images.tool;

import java.io.IOException;

/// Cuts a disk into pieces and hands them to the threads of a copy. Thread-safe.
final class CopyPlan {
    /// @param index      counts the pieces that are handed out
    /// @param lengthBytes 0 at the end
    record Piece(long index, long offsetBytes, long lengthBytes, CopySource.Kind kind) {}

    /// Zeroes need no buffer: they come in larger pieces.
    private static final long MAX_ZERO_BYTES = 1L << 30;

    private final CopySource source;
    private final long sourceBytes;
    private final int pieceBytes;
    private final CopyOptions options;
    private final Progress progress;
    private final long totalBytes;

    // All below is guarded by this.
    private long atBytes;
    private long runEndBytes;
    private CopySource.Kind runKind = CopySource.Kind.DATA;
    private long index;
    private long doneBytes;
    private boolean stopped;

    CopyPlan(CopySource source, long targetBytes, int pieceBytes, CopyOptions options, Progress progress) {
        this.source = source;
        sourceBytes = source.length();
        this.pieceBytes = pieceBytes;
        this.options = options;
        this.progress = progress;
        // What the target has beyond the source is zeroes; where it is so already, it needs nothing.
        totalBytes = options.targetIsZero() || options.topOnly() ? sourceBytes : Math.max(sourceBytes, targetBytes);
    }

    synchronized Piece next() throws IOException {
        while (atBytes < totalBytes && !stopped) {
            if (atBytes >= runEndBytes) {
                look();
            }
            long start = atBytes;
            if (options.compress()) {
                long end = Math.min((start / pieceBytes + 1) * pieceBytes, totalBytes);
                if (runKind != CopySource.Kind.DATA && runEndBytes >= end) {
                    end = wholePieces(runEndBytes);
                    atBytes = end;
                    if (isNeeded()) {
                        return new Piece(index++, start, end - start, runKind);
                    }
                    count(end - start);
                    continue;
                }
                atBytes = end;
                return new Piece(index++, start, end - start, CopySource.Kind.DATA);
            }
            boolean zero = runKind != CopySource.Kind.DATA && options.sparseBytes() > 0;
            long end = Math.min(runEndBytes, start + (zero ? MAX_ZERO_BYTES : pieceEnd(start) - start));
            atBytes = end;
            if (!zero && runKind != CopySource.Kind.BELOW) {
                return new Piece(index++, start, end - start, CopySource.Kind.DATA);
            }
            if (isNeeded()) {
                return new Piece(index++, start, end - start, runKind);
            }
            count(end - start);
        }
        return new Piece(index, atBytes, 0, CopySource.Kind.ZERO);
    }

    /// Pieces end at multiples of their length, so that clusters are written as a whole.
    private long pieceEnd(long start) {
        return (start / pieceBytes + 1) * pieceBytes;
    }

    private long wholePieces(long end) {
        return end >= totalBytes ? totalBytes : end / pieceBytes * pieceBytes;
    }

    private boolean isNeeded() {
        return runKind == CopySource.Kind.ZERO && !options.targetIsZero();
    }

    private void look() throws IOException {
        if (atBytes >= sourceBytes) {
            runKind = CopySource.Kind.ZERO;
            runEndBytes = totalBytes;
            return;
        }
        CopySource.Run run = source.run(atBytes, sourceBytes - atBytes, options.topOnly());
        runKind = run.kind();
        runEndBytes = atBytes + run.lengthBytes();
        // The bytes of the last sector that the source lacks belong to its run.
    }

    synchronized void done(Piece piece) {
        count(piece.lengthBytes());
    }

    private void count(long bytes) {
        doneBytes += bytes;
        progress.at(doneBytes, totalBytes);
    }

    synchronized void stop() {
        stopped = true;
    }
}
