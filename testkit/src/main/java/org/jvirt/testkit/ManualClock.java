package org.jvirt.testkit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jvirt.core.VmClock;

/// A clock that moves only when the test says so; due timers run on the thread that moves it. Thread-safe.
public final class ManualClock implements VmClock {
    private final List<ManualTimer> timers = new ArrayList<>();
    private final long wallAtStart;
    private long now;

    public ManualClock() {
        this(1_700_000_000_000_000_000L);
    }

    public ManualClock(long wallAtStart) {
        this.wallAtStart = wallAtStart;
    }

    @Override
    public synchronized long nanos() {
        return now;
    }

    @Override
    public synchronized long wallNanos() {
        return wallAtStart + now;
    }

    @Override
    public synchronized Timer timer(String name, Runnable onExpiry) {
        var timer = new ManualTimer(onExpiry);
        timers.add(timer);
        return timer;
    }

    /// Moves time forward, running every timer that falls due at its own time, in order.
    public void advance(long nanos) {
        long end = nanos() + nanos;
        while (true) {
            ManualTimer due;
            synchronized (this) {
                due = timers.stream()
                        .filter(t -> t.armed && t.deadline <= end)
                        .min(Comparator.comparingLong(t -> t.deadline))
                        .orElse(null);
                if (due == null) {
                    now = end;
                    return;
                }
                now = Math.max(now, due.deadline);
                due.armed = false;
            }
            due.onExpiry.run();
        }
    }

    private final class ManualTimer implements Timer {
        private final Runnable onExpiry;
        private long deadline;
        private boolean armed;

        ManualTimer(Runnable onExpiry) {
            this.onExpiry = onExpiry;
        }

        @Override
        public void arm(long deadlineNanos) {
            synchronized (ManualClock.this) {
                deadline = deadlineNanos;
                armed = true;
            }
        }

        @Override
        public void cancel() {
            synchronized (ManualClock.this) {
                armed = false;
            }
        }
    }
}
