package org.jvirt.images.tool;

import java.util.concurrent.locks.LockSupport;

/// Holds callers back so that no more than so many bytes pass in a second. Thread-safe.
final class RateLimit {
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    private final long bytesPerSecond;
    private long freeAtNanos = System.nanoTime(); // guarded by this

    /// @param bytesPerSecond 0 for no limit
    RateLimit(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    void pass(long bytes) {
        if (bytesPerSecond <= 0) {
            return;
        }
        long until;
        synchronized (this) {
            freeAtNanos = Math.max(freeAtNanos, System.nanoTime())
                    + (long) ((double) bytes * NANOS_PER_SECOND / bytesPerSecond);
            until = freeAtNanos;
        }
        for (long wait = until - System.nanoTime(); wait > 0; wait = until - System.nanoTime()) {
            LockSupport.parkNanos(wait);
        }
    }
}
