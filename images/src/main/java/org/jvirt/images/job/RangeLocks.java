package org.jvirt.images.job;

import java.util.ArrayList;
import java.util.List;

/// Keeps two threads from the same part of a disk. Thread-safe; a thread holds one range at a time.
final class RangeLocks {
    private record Range(long start, long end) {}

    private final List<Range> taken = new ArrayList<>(); // guarded by this

    /// Waits until nobody has any of the range.
    synchronized void lock(long offsetBytes, long lengthBytes) {
        boolean interrupted = false;
        long end = offsetBytes + lengthBytes;
        while (overlaps(offsetBytes, end)) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        taken.add(new Range(offsetBytes, end));
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean overlaps(long start, long end) {
        for (int i = 0; i < taken.size(); i++) {
            if (taken.get(i).start < end && start < taken.get(i).end) {
                return true;
            }
        }
        return false;
    }

    /// Of a range as it was locked.
    synchronized void unlock(long offsetBytes, long lengthBytes) {
        taken.remove(new Range(offsetBytes, offsetBytes + lengthBytes));
        notifyAll();
    }
}
