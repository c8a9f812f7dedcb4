package org.jvirt.devices.virtio;

import java.util.ArrayList;
import java.util.List;

/// Runs one piece of work on a [QueueRunner] whenever woken, never twice at once, and never misses a wake-up.
///
/// ```
///            wake               work done, not woken again
///   idle ──────────► running ─────────────────────────────► idle
///                      │ ▲
///                 wake └─┘ once more
/// ```
///
/// Thread-safe. The lock is held for flag changes only.
final class QueueWorker {
    private final QueueRunner runner;
    private final Runnable work;
    private final List<Runnable> onIdle = new ArrayList<>(); // guarded by this, as all below
    private boolean running;
    private boolean again;

    QueueWorker(QueueRunner runner, Runnable work) {
        this.runner = runner;
        this.work = work;
    }

    /// Has the work run once more, from its beginning, soon.
    void wake() {
        synchronized (this) {
            if (running) {
                again = true;
                return;
            }
            running = true;
        }
        runner.execute(this::run);
    }

    /// Runs `action` when the work is not running: now, on this thread, or at its end, on the queue's thread.
    void whenIdle(Runnable action) {
        synchronized (this) {
            if (running) {
                onIdle.add(action);
                return;
            }
        }
        action.run();
    }

    private void run() {
        while (true) {
            work.run();
            List<Runnable> waiting;
            boolean wokenMeanwhile;
            synchronized (this) {
                if (again && onIdle.isEmpty()) {
                    again = false;
                    continue;
                }
                wokenMeanwhile = again;
                again = false;
                running = false;
                waiting = List.copyOf(onIdle);
                onIdle.clear();
            }
            waiting.forEach(Runnable::run);
            if (wokenMeanwhile) {
                wake();
            }
            return;
        }
    }

    void close() {
        runner.close();
    }
}
