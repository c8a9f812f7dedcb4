package org.jvirt.devices.work;

import org.jvirt.core.Doorbell;

/// A thread that does its work at each ring of its doorbell. Thread-safe; the lock is held for a ring, never for
/// the work.
final class QueueThread implements QueueRunner {
    private final Doorbell doorbell;
    private final Runnable work;
    private final Thread thread;
    private boolean started; // guarded by this
    private boolean closed; // guarded by this
    private volatile boolean ending;

    QueueThread(String name, Doorbell doorbell, Runnable onStart, Runnable work) {
        this.doorbell = doorbell;
        this.work = work;
        thread = Thread.ofPlatform().name(name).daemon().unstarted(() -> {
            onStart.run();
            serve();
        });
    }

    @Override
    public synchronized void wake() {
        if (!closed) {
            startLocked();
            doorbell.ring();
        }
    }

    @Override
    public synchronized void listen(long gpa) {
        if (!closed && doorbell.listen(gpa)) {
            startLocked();
        }
    }

    @Override
    public synchronized void deafen() {
        if (!closed) {
            doorbell.deafen();
        }
    }

    private void startLocked() {
        if (!started) {
            started = true;
            thread.start();
        }
    }

    private void serve() {
        while (true) {
            doorbell.await();
            if (ending) {
                return;
            }
            work.run();
        }
    }

    /// Waits for the thread's end. Not for the thread itself.
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            ending = true;
            doorbell.deafen();
            doorbell.ring();
        }
        joinUninterruptibly();
        doorbell.close();
    }

    private void joinUninterruptibly() {
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
}
