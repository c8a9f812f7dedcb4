package org.jvirt.images.nbd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;

/// Native memory for the payloads of one connection, bounded: who wants more waits. Thread-safe. A thread that
/// holds a buffer must not ask for another.
public final class BufferPool implements AutoCloseable {
    private static final int UNIT_BYTES = 64 << 10;
    private static final int ALIGNMENT = 4096;
    /// Larger ones go back to the host at once.
    private static final int MAX_KEPT_UNITS = 32;

    private final Semaphore units;
    private final int keptUnitsLimit;
    private final Deque<Buffer> kept = new ArrayDeque<>(); // guarded by kept
    private int keptUnits; // guarded by kept
    private boolean closed; // guarded by kept

    /// @param limitBytes what all buffers may take, at least the largest one asked for
    public BufferPool(long limitBytes) {
        units = new Semaphore((int) (limitBytes / UNIT_BYTES), true);
        keptUnitsLimit = (int) Math.min(limitBytes / UNIT_BYTES / 4, 4 * MAX_KEPT_UNITS);
    }

    /// Memory to be used by one request, then closed.
    public final class Buffer implements AutoCloseable {
        private final Arena arena = Arena.ofShared();
        private final int size;
        private final MemorySegment all;

        private Buffer(int size) {
            this.size = size;
            all = arena.allocate((long) size * UNIT_BYTES, ALIGNMENT);
        }

        /// The first bytes of it.
        public MemorySegment bytes(long count) {
            return all.asSlice(0, count);
        }

        @Override
        public void close() {
            giveBack(this);
        }
    }

    /// @param bytes up to the pool's limit
    public Buffer take(int bytes) {
        int wanted = Math.max(1, Integer.highestOneBit(Math.max(1, (bytes + UNIT_BYTES - 1) / UNIT_BYTES * 2 - 1)));
        units.acquireUninterruptibly(wanted);
        synchronized (kept) {
            for (var each = kept.iterator(); each.hasNext(); ) {
                Buffer buffer = each.next();
                if (buffer.size == wanted) {
                    each.remove();
                    keptUnits -= wanted;
                    return buffer;
                }
            }
        }
        return new Buffer(wanted);
    }

    private void giveBack(Buffer buffer) {
        boolean keep;
        synchronized (kept) {
            keep = !closed && buffer.size <= MAX_KEPT_UNITS && keptUnits + buffer.size <= keptUnitsLimit;
            if (keep) {
                kept.addFirst(buffer);
                keptUnits += buffer.size;
            }
        }
        if (!keep) {
            buffer.arena.close();
        }
        units.release(buffer.size);
    }

    /// Gives the memory back, that of buffers in use when they are closed.
    @Override
    public void close() {
        synchronized (kept) {
            closed = true;
            kept.forEach(buffer -> buffer.arena.close());
            kept.clear();
        }
    }
}
