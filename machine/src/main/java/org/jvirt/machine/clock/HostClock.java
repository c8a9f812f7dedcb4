package org.jvirt.machine.clock;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.PriorityQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.VmClock;

/// Guest time that runs with the host's monotonic clock while it is started and stands still while it is stopped.
///
/// The wall clock is the host's own at every moment, plus a fixed shift, so a guest that was paused sees that time
/// has passed. One platform thread runs the expiries, in order of their deadlines; it parks until the next is due.
/// Made stopped, at 0. Thread-safe.
public final class HostClock implements VmClock, AutoCloseable {
    private static final Logger LOG = System.getLogger(HostClock.class.getName());
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final long wallShiftNanos;
    private final Thread thread;
    /// Guards everything below. Expiries run without it.
    private final Object lock = new Object();

    private final PriorityQueue<Entry> queue = new PriorityQueue<>();
    private volatile Epoch epoch = new Epoch(false, 0);

    private long nextSequence;
    private boolean closed;

    /// @param name           of the machine: the thread is called `NAME-clock`
    /// @param wallShiftNanos how far the guest's wall clock is ahead of the host's
    public HostClock(String name, long wallShiftNanos) {
        this.wallShiftNanos = wallShiftNanos;
        thread = Thread.ofPlatform().name(name + "-clock").daemon(true).start(this::runTimers);
    }

    @Override
    public long nanos() {
        Epoch now = epoch;
        return now.running ? System.nanoTime() + now.base : now.base;
    }

    @Override
    public long aheadOfHost() {
        Epoch now = epoch;
        return now.running ? now.base : UNRELATED;
    }

    @Override
    public long wallNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS_PER_SECOND + now.getNano() + wallShiftNanos;
    }

    @Override
    public Timer timer(String name, Runnable onExpiry) {
        return new HostTimer(name, onExpiry);
    }

    /// Lets time run; nothing happens if it runs already.
    public void start() {
        synchronized (lock) {
            if (!epoch.running) {
                epoch = new Epoch(true, epoch.base - System.nanoTime());
            }
        }
        LockSupport.unpark(thread);
    }

    /// Stops time; an expiry that is already running is not waited for.
    public void stop() {
        synchronized (lock) {
            if (epoch.running) {
                epoch = new Epoch(false, System.nanoTime() + epoch.base);
            }
        }
    }

    /// Ends the thread: afterwards no expiry runs, and timers armed later never fire. Not for an expiry.
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            queue.clear();
        }
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void runTimers() {
        while (true) {
            HostTimer due = null;
            long waitNanos;
            synchronized (lock) {
                if (closed) {
                    return;
                }
                Entry first = queue.peek();
                if (first == null || !epoch.running) {
                    waitNanos = Long.MAX_VALUE;
                } else {
                    waitNanos = first.deadline - nanos();
                    if (waitNanos <= 0) {
                        queue.poll();
                        due = first.timer;
                        due.entry = null;
                    }
                }
            }
            if (due != null) {
                due.expire();
            } else if (waitNanos == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, waitNanos);
            }
        }
    }

    /// How guest time follows from the host's.
    ///
    /// @param base while running, guest time minus host time; while stopped, guest time
    private record Epoch(boolean running, long base) {}

    /// One alarm in the queue; a timer armed anew gets a new one.
    private record Entry(long deadline, long sequence, HostTimer timer) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            int byDeadline = Long.compare(deadline, other.deadline);
            return byDeadline != 0 ? byDeadline : Long.compare(sequence, other.sequence);
        }
    }

    private final class HostTimer implements Timer {
        private final String name;
        private final Runnable onExpiry;
        /// Guarded by [#lock].
        private @Nullable Entry entry;

        HostTimer(String name, Runnable onExpiry) {
            this.name = name;
            this.onExpiry = onExpiry;
        }

        @Override
        public void arm(long deadlineNanos) {
            boolean first;
            synchronized (lock) {
                if (closed) {
                    return;
                }
                removeLocked();
                Entry added = new Entry(deadlineNanos, nextSequence++, this);
                entry = added;
                queue.add(added);
                first = added.equals(queue.peek()) && epoch.running;
            }
            if (first && !Thread.currentThread().equals(thread)) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void cancel() {
            synchronized (lock) {
                removeLocked();
            }
        }

        private void removeLocked() {
            if (entry != null) {
                queue.remove(entry);
                entry = null;
            }
        }

        private void expire() {
            try {
                onExpiry.run();
            } catch (RuntimeException e) {
                // One broken device must not stop time for all others.
                LOG.log(Level.ERROR, "Timer " + name + " failed", e);
            }
        }
    }
}
