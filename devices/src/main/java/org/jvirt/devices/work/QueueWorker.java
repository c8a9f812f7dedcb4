package org.jvirt.devices.work;

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
public final class QueueWorker {
    private final Runnable work;
    private final QueueRunner runner;
    private final List<Runnable> onIdle = new ArrayList<>(); // guarded by this, as all below
    private boolean running;
    private boolean again;

    public QueueWorker(String name, QueueRunner.Factory runners, Runnable work) {
        this.work = work;
        runner = runners.runner(name, this::run);
    }

    /// Has the work run once more, from its beginning, soon.
    public void wake() {
        runner.wake();
    }

    /// Has the engine do that at stores to `gpa`, if it can.
    public void listen(long gpa) {
        runner.listen(gpa);
    }

    /// Ends what [#listen] began.
    public void deafen() {
        runner.deafen();
    }

    /// Runs `action` when the work is not running: now, on this thread, or at its end, on the queue's thread.
    public void whenIdle(Runnable action) {
        synchronized (this) {
            if (running) {
                onIdle.add(action);
                return;
            }
        }
        action.run();
    }

    /// Where the runner is the caller's own thread, the work may wake itself, or another thread come in between.
    private void run() {
        synchronized (this) {
            if (running) {
                again = true;
                return;
            }
            running = true;
        }
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

    /// Ends the thread, after the work under way.
    public void close() {
        runner.close();
    }
}
