package org.jvirt.images.tool;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets the threads of a copy write in the order of their pieces. Thread-safe.
final class WriteOrder {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition moved = lock.newCondition();
    private long next; // guarded by lock
    private boolean stopped; // guarded by lock

    /// Waits until all pieces before this one have been written.
    ///
    /// @return false if the copy has failed meanwhile
    boolean await(long index) {
        lock.lock();
        try {
            while (next != index && !stopped) {
                moved.awaitUninterruptibly();
            }
            return !stopped;
        } finally {
            lock.unlock();
        }
    }

    void done(long index) {
        lock.lock();
        try {
            next = index + 1;
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void stop() {
        lock.lock();
        try {
            stopped = true;
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
