package org.jvirt.images.live;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jvirt.core.VmClock;

/// Holds requests of a disk, or of a group of disks, back so that they keep within limits. Thread-safe.
///
/// Time is the machine's. A request waits for what came before it, never for itself: however large, it passes when
/// the bucket has leaked far enough.
@SuppressWarnings("ReferenceEquality") // these very buckets
public final class Throttle {
    private final VmClock clock;
    private final VmClock.Timer timer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All below is guarded by the lock; the two volatile ones are read without.
    private volatile DiskLimits limits;
    private volatile boolean hurrying;
    private Buckets buckets;
    private long alarmNanos = Long.MAX_VALUE;

    private record Buckets(
            LeakyBucket bytes,
            LeakyBucket bytesRead,
            LeakyBucket bytesWritten,
            LeakyBucket requests,
            LeakyBucket readRequests,
            LeakyBucket writeRequests) {
        static Buckets of(DiskLimits limits, long now) {
            return new Buckets(
                    new LeakyBucket(limits.bytes(), now),
                    new LeakyBucket(limits.bytesRead(), now),
                    new LeakyBucket(limits.bytesWritten(), now),
                    new LeakyBucket(limits.requests(), now),
                    new LeakyBucket(limits.readRequests(), now),
                    new LeakyBucket(limits.writeRequests(), now));
        }
    }

    public Throttle(DiskLimits limits, VmClock clock) {
        this.clock = clock;
        this.limits = limits;
        buckets = Buckets.of(limits, clock.nanos());
        timer = clock.timer("disk-limits", this::alarm);
    }

    public DiskLimits limits() {
        return limits;
    }

    /// Sets other limits; who waits for the ones before passes.
    public void limit(DiskLimits newLimits) {
        lock.lock();
        try {
            limits = newLimits;
            buckets = Buckets.of(newLimits, clock.nanos());
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Lets everybody pass, for as long as the machine stands or is about to.
    void hurry(boolean on) {
        lock.lock();
        try {
            hurrying = on;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until a request may pass.
    void pass(boolean write, long requestBytes) {
        if (!limits.limits()) {
            return;
        }
        lock.lock();
        try {
            Buckets counted = buckets;
            long now = clock.nanos();
            long until = now + wait(write, requestBytes, now);
            while (clock.nanos() < until && !hurrying && counted == buckets) {
                if (until < alarmNanos) {
                    alarmNanos = until;
                    timer.arm(until);
                }
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private long wait(boolean write, long requestBytes, long now) {
        long unit = limits.requestBytes();
        double count = unit > 0 && requestBytes > unit ? (double) requestBytes / unit : 1;
        long forBytes = Math.max(
                buckets.bytes.put((double) requestBytes, now),
                (write ? buckets.bytesWritten : buckets.bytesRead).put((double) requestBytes, now));
        long forRequests = Math.max(
                buckets.requests.put(count, now),
                (write ? buckets.writeRequests : buckets.readRequests).put(count, now));
        return Math.max(forBytes, forRequests);
    }

    private void alarm() {
        lock.lock();
        try {
            alarmNanos = Long.MAX_VALUE;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
