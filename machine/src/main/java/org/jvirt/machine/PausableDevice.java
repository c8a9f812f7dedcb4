package org.jvirt.machine;

import java.util.List;
import java.util.function.Supplier;
import org.jvirt.images.live.LiveDisk;

/// Pauses a device on the way to whose disks requests may be held, so that its queues' threads are not idle before
/// the machine goes on.
///
/// ```
///             pause                       requests over
///   RUNNING ─────────► PAUSING, on a thread ──────────────► PAUSED
///      ▲                  │ [pause] returns early where requests are held       │
///      └──────────────────┴──────────────── resume ─────────────────────────────┘
/// ```
///
/// One thread calls [#pause] and [#resume]: the machine's.
final class PausableDevice {
    private static final long LOOK_AGAIN_MILLIS = 10;

    private enum State {
        RUNNING,
        PAUSING,
        PAUSED
    }

    private final String name;
    private final Runnable pause;
    private final Runnable resume;
    private final Supplier<List<LiveDisk>> disks;

    // Guarded by this.
    private State state = State.RUNNING;
    private boolean wanted = true;

    /// @param pause waits for requests under way; [#resume] takes it back
    /// @param disks behind the device now
    PausableDevice(String name, Runnable pause, Runnable resume, Supplier<List<LiveDisk>> disks) {
        this.name = name;
        this.pause = pause;
        this.resume = resume;
        this.disks = disks;
    }

    /// On return, no request of the device is under way but those that are held.
    synchronized void pause() {
        wanted = false;
        if (state == State.RUNNING) {
            state = State.PAUSING;
            if (disks.get().isEmpty()) {
                pause.run();
                state = State.PAUSED;
            } else {
                Thread.ofPlatform().daemon().name(name + "-pause").start(this::pauseNow);
            }
        }
        boolean interrupted = false;
        while (state == State.PAUSING && !held()) {
            try {
                wait(LOOK_AGAIN_MILLIS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Whether what is under way waits for the machine to go on.
    private boolean held() {
        List<LiveDisk> now = disks.get();
        return now.stream().anyMatch(LiveDisk::standing) && now.stream().allMatch(LiveDisk::quiet);
    }

    private void pauseNow() {
        pause.run();
        synchronized (this) {
            state = State.PAUSED;
            if (wanted) {
                resume.run();
                state = State.RUNNING;
            }
            notifyAll();
        }
    }

    /// Lets the device go on, as soon as it may.
    synchronized void resume() {
        wanted = true;
        if (state == State.PAUSED) {
            resume.run();
            state = State.RUNNING;
        }
    }
}
