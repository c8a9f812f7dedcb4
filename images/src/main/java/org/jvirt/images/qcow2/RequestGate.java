package org.jvirt.images.qcow2;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Lets requests pass side by side, and single operations alone; and tells when all requests of a time are over.
/// Thread-safe.
///
/// Requests belong to the epoch in which they enter. An epoch begins only when all requests of the one before the
/// last are over, so what was out of use in epoch `e` cannot be in any request's hands in epoch `e + 2`.
final class RequestGate {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final AtomicInteger[] inside = {new AtomicInteger(), new AtomicInteger()};
    private volatile long epoch;

    /// @return to be given to [#leave]
    long enter() {
        lock.readLock().lock();
        while (true) {
            long now = epoch;
            inside[(int) now & 1].incrementAndGet();
            if (epoch == now) {
                return now;
            }
            inside[(int) now & 1].decrementAndGet();
        }
    }

    void leave(long entered) {
        inside[(int) entered & 1].decrementAndGet();
        lock.readLock().unlock();
    }

    /// Waits until no request is under way, and keeps new ones out.
    void enterAlone() {
        lock.writeLock().lock();
    }

    void leaveAlone() {
        lock.writeLock().unlock();
    }

    boolean alone() {
        return lock.isWriteLockedByCurrentThread();
    }

    long epoch() {
        return epoch;
    }

    /// What went out of use before this epoch began is in no request's hands. One caller at a time.
    long safeEpoch() {
        for (int step = 0; step < 2; step++) {
            long now = epoch;
            if (inside[(int) (now + 1) & 1].get() != 0) {
                break;
            }
            epoch = now + 1;
        }
        return epoch - 1;
    }
}
