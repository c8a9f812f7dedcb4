package org.jvirt.images.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A request whose answer is awaited. Guarded by the turn to read of its [Link].
final class Pending {
    /// Blocks are not smaller, so neither are chunks, but for the ends of a range.
    private static final int LEAST_CHUNK_BYTES = 512;

    final long cookie;
    final int type;
    final long offsetBytes;
    final long lengthBytes;
    /// Where data goes; the waiting thread's own memory cannot be written by others.
    private final MemorySegment wanted;

    private final Thread owner = Thread.currentThread();
    private @Nullable MemorySegment aside;
    /// Ranges of the answer that have come: start and end, apart from each other.
    private final TreeMap<Long, Long> covered = new TreeMap<>();

    private long chunks;
    private Optional<IOException> failure = Optional.empty();
    private Optional<BlockRun> run = Optional.empty();
    private boolean done;

    /// @param flags as the context has them
    record BlockRun(long lengthBytes, int flags) {}

    Pending(long cookie, int type, long offsetBytes, long lengthBytes, MemorySegment wanted) {
        this.cookie = cookie;
        this.type = type;
        this.offsetBytes = offsetBytes;
        this.lengthBytes = lengthBytes;
        this.wanted = wanted;
    }

    boolean done() {
        return done;
    }

    void complete() {
        done = true;
    }

    void fail(IOException reason) {
        if (failure.isEmpty()) {
            failure = Optional.of(reason);
        }
    }

    void run(BlockRun first) {
        run = Optional.of(first);
    }

    /// Where the bytes of a chunk go, in the reading thread.
    ///
    /// @throws ProtocolException if they were not asked for, or have come before
    MemorySegment place(long offset, long length) throws ProtocolException {
        long start = offset - offsetBytes;
        if (type != Nbd.CMD_READ || offset < offsetBytes || length <= 0 || length > lengthBytes - start) {
            throw new ProtocolException(
                    "the server sends %d bytes at %d, which were not asked for".formatted(length, offset));
        }
        if (++chunks > lengthBytes / LEAST_CHUNK_BYTES + 2) {
            throw new ProtocolException("the server cuts its answer into too many pieces");
        }
        cover(start, start + length);
        if (aside == null && !wanted.isAccessibleBy(Thread.currentThread())) {
            aside = MemorySegment.ofArray(new byte[(int) lengthBytes]);
        }
        return (aside == null ? wanted : aside).asSlice(start, length);
    }

    private void cover(long start, long end) throws ProtocolException {
        Map.Entry<Long, Long> before = covered.floorEntry(start);
        Map.Entry<Long, Long> after = covered.ceilingEntry(start);
        if (before != null && before.getValue() > start || after != null && after.getKey() < end) {
            throw new ProtocolException("the server sends the same bytes twice");
        }
        long from = start;
        long to = end;
        if (before != null && before.getValue() == start) {
            from = before.getKey();
        }
        if (after != null && after.getKey() == end) {
            to = after.getValue();
            covered.remove(after.getKey());
        }
        covered.put(from, to);
    }

    /// In the thread that asked, when it is done.
    void result() throws IOException {
        if (failure.isPresent()) {
            IOException reason = failure.get();
            // Each thread gets a trace of its own.
            throw reason instanceof NbdException known
                    ? new NbdException(known.error(), String.valueOf(reason.getMessage()))
                    : reason instanceof ProtocolException
                            ? new ProtocolException(String.valueOf(reason.getMessage()))
                            : new LostConnectionException(reason);
        }
        if (aside != null) {
            MemorySegment.copy(aside, 0, wanted, 0, lengthBytes);
        }
    }

    /// Whether a read has got all it asked for.
    boolean complete(long bytes) {
        return covered.size() == 1
                && covered.firstEntry().getKey() == 0
                && covered.firstEntry().getValue() == bytes;
    }

    /// What a question about blocks was answered.
    Optional<BlockRun> run() {
        return run;
    }

    boolean failed() {
        return failure.isPresent();
    }

    /// For messages.
    @Override
    public String toString() {
        return "%s of %d bytes at %d by %s"
                .formatted(
                        switch (type) {
                            case Nbd.CMD_READ -> "read";
                            case Nbd.CMD_WRITE -> "write";
                            case Nbd.CMD_FLUSH -> "flush";
                            case Nbd.CMD_TRIM -> "discard";
                            case Nbd.CMD_WRITE_ZEROES -> "write of zeroes";
                            case Nbd.CMD_BLOCK_STATUS -> "block status";
                            default -> "request " + type;
                        },
                        lengthBytes,
                        offsetBytes,
                        owner.getName());
    }
}
