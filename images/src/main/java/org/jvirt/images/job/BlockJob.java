package org.jvirt.images.job;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.JvirtException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveDisk;

/// Something that copies a running machine's disk, on a thread of its own. Thread-safe.
///
/// The guest goes on meanwhile, also while the job is paused; a paused machine does not pause its jobs.
public abstract class BlockJob {
    private static final Logger LOG = System.getLogger(BlockJob.class.getName());
    private static final double NANOS_PER_SECOND = 1e9;
    private static final long RETRY_MILLIS = 100;

    /// How a job is to end.
    enum Wish {
        NONE,
        /// Once it is ready.
        COMPLETE,
        /// Once it is ready, the target a copy of that instant; at once before.
        CANCEL,
        ABORT
    }

    private final LiveDisk disk;
    private final String type;
    private final JobOptions options;
    private final Object lock = new Object();

    // All below is guarded by the lock.
    private JobState state = JobState.RUNNING;
    private Wish wish = Wish.NONE;
    private boolean paused;
    private boolean ready;
    private boolean cancelled;
    private @Nullable String error;
    private long bytesPerSecond;
    private long freeAtNanos = System.nanoTime();
    private long doneBytes;
    private long totalBytes;
    private @Nullable Thread thread;

    BlockJob(LiveDisk disk, String type, JobOptions options) {
        this.disk = disk;
        this.type = type;
        this.options = options;
        bytesPerSecond = options.bytesPerSecond();
    }

    /// The disk's own: there is one job for each at a time.
    public String id() {
        return disk.id();
    }

    public LiveDisk disk() {
        return disk;
    }

    public JobStatus status() {
        synchronized (lock) {
            return new JobStatus(
                    id(),
                    type,
                    state,
                    doneBytes,
                    Math.max(doneBytes, totalBytes),
                    bytesPerSecond,
                    Optional.ofNullable(error),
                    cancelled);
        }
    }

    /// Limits how fast it copies, from now on.
    ///
    /// @param newBytesPerSecond 0 for no limit
    public void setSpeed(long newBytesPerSecond) {
        if (newBytesPerSecond < 0) {
            throw new UserErrorException("A job's speed is a number of bytes per second, not " + newBytesPerSecond);
        }
        synchronized (lock) {
            bytesPerSecond = newBytesPerSecond;
            freeAtNanos = System.nanoTime();
            lock.notifyAll();
        }
    }

    public void pause() {
        synchronized (lock) {
            requireActive("pause");
            paused = true;
            state = JobState.PAUSED;
        }
    }

    /// Lets a paused job go on; where an error had paused it, it tries again.
    public void resume() {
        synchronized (lock) {
            requireActive("resume");
            paused = false;
            error = null;
            state = ready ? JobState.READY : JobState.RUNNING;
            lock.notifyAll();
        }
    }

    /// Ends the job. One that is ready leaves its target as a copy of this instant, unless it is forced.
    public void cancel(boolean force) {
        synchronized (lock) {
            if (state == JobState.CONCLUDED) {
                return;
            }
            wish = force || !ready ? Wish.ABORT : Wish.CANCEL;
            lock.notifyAll();
        }
    }

    /// Ends a job that is ready: the disk is from then on what it was copied to.
    ///
    /// @throws UserErrorException if it is not ready, or ends by itself
    public void complete() {
        synchronized (lock) {
            if (!ready || state == JobState.CONCLUDED) {
                throw new UserErrorException(
                        "Cannot complete the job of %s: it is not ready; info block-jobs tells how far it is"
                                .formatted(id()));
            }
            if (paused) {
                throw new UserErrorException("Cannot complete the job of %s: resume it first".formatted(id()));
            }
            wish = Wish.COMPLETE;
            lock.notifyAll();
        }
    }

    /// Waits until the job has ended, or a time has passed.
    public JobStatus await(long timeout, TimeUnit unit) throws InterruptedException {
        return await(JobState.CONCLUDED, timeout, unit);
    }

    /// As [#await(long, TimeUnit)], or until it is in a state.
    public JobStatus await(JobState wanted, long timeout, TimeUnit unit) throws InterruptedException {
        long end = System.nanoTime() + unit.toNanos(timeout);
        synchronized (lock) {
            while (state != wanted && state != JobState.CONCLUDED) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0) {
                    break;
                }
                lock.wait(left);
            }
        }
        return status();
    }

    private void requireActive(String verb) {
        if (state == JobState.CONCLUDED) {
            throw new UserErrorException("Cannot %s the job of %s: it has ended".formatted(verb, id()));
        }
    }

    // ---- for the kinds of jobs

    /// Makes all ready, at the instant that counts. Where this fails, [#abandon] follows.
    abstract void begin() throws IOException;

    /// Copies; on the job's thread.
    abstract void work() throws IOException, JobCancelledException;

    /// Ends a job whose work is done. Where this fails, [#abandon] follows.
    abstract void finish() throws IOException;

    /// Leaves the disk as it was, after a failure or when cancelled.
    abstract void abandon() throws IOException;

    /// Begins, and lets the thread go.
    ///
    /// @param onEnd told on the thread, at the very end
    final void start(Runnable onEnd) throws IOException {
        try {
            begin();
        } catch (IOException | RuntimeException e) {
            String alsoFailed = undone(null);
            if (alsoFailed != null) {
                e.addSuppressed(new IOException(alsoFailed));
            }
            throw e;
        }
        Thread fresh = Thread.ofPlatform().daemon().name("job-" + id()).unstarted(() -> run(onEnd));
        synchronized (lock) {
            thread = fresh;
        }
        fresh.start();
    }

    private void run(Runnable onEnd) {
        String failure = null;
        boolean early = false;
        boolean undo = true;
        try {
            work();
            finish();
            undo = false;
        } catch (JobCancelledException e) {
            early = true;
        } catch (IOException | RuntimeException e) {
            failure = String.valueOf(e.getMessage());
            LOG.log(Level.WARNING, "Job {0} of disk {1} failed: {2}", type, id(), failure);
        }
        if (undo) {
            failure = undone(failure);
        }
        onEnd.run();
        synchronized (lock) {
            error = failure;
            cancelled = early;
            state = JobState.CONCLUDED;
            lock.notifyAll();
        }
    }

    private @Nullable String undone(@Nullable String failure) {
        try {
            abandon();
            return failure;
        } catch (IOException | JvirtException e) {
            LOG.log(Level.WARNING, "Job {0} of disk {1} could not clean up: {2}", type, id(), e.getMessage());
            return failure == null ? e.getMessage() : failure;
        }
    }

    /// Waits for the thread's end.
    final void join() {
        Thread running;
        synchronized (lock) {
            running = thread;
        }
        boolean interrupted = false;
        while (running != null && running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// To be called before so much is copied: waits while the job is paused, or too fast.
    final void step(long bytes) throws JobCancelledException {
        synchronized (lock) {
            while (true) {
                if (wish == Wish.ABORT) {
                    throw new JobCancelledException();
                }
                long wait = bytesPerSecond == 0 ? 0 : freeAtNanos - System.nanoTime();
                if (paused) {
                    waitLocked(0);
                } else if (wait > 0) {
                    waitLocked(wait / 1_000_000 + 1);
                } else {
                    break;
                }
            }
            if (bytesPerSecond > 0) {
                freeAtNanos =
                        Math.max(freeAtNanos, System.nanoTime()) + (long) (bytes * NANOS_PER_SECOND / bytesPerSecond);
            }
        }
    }

    /// Waits for a change of mind, at most so long.
    final void rest(long millis) throws JobCancelledException {
        synchronized (lock) {
            if (wish == Wish.NONE) {
                waitLocked(millis);
            }
            if (wish == Wish.ABORT) {
                throw new JobCancelledException();
            }
        }
    }

    @SuppressWarnings("WaitNotInLoop") // callers look again
    private void waitLocked(long millis) {
        try {
            lock.wait(millis);
        } catch (InterruptedException e) {
            // Nobody interrupts this thread but to end it.
            wish = Wish.ABORT;
        }
    }

    final Wish wish() {
        synchronized (lock) {
            return wish;
        }
    }

    final void becomeReady() {
        synchronized (lock) {
            if (!ready) {
                ready = true;
                if (!paused) {
                    state = JobState.READY;
                }
                lock.notifyAll();
            }
        }
    }

    final boolean ready() {
        synchronized (lock) {
            return ready;
        }
    }

    final void total(long bytes) {
        synchronized (lock) {
            totalBytes = bytes;
        }
    }

    final void moreToDo(long bytes) {
        synchronized (lock) {
            totalBytes += bytes;
        }
    }

    final void done(long bytes) {
        synchronized (lock) {
            doneBytes += bytes;
        }
    }

    /// What an error means, by the job's options: returns where it is to be tried again.
    final void failed(IOException failure) throws IOException, JobCancelledException {
        ErrorAction action =
                failure instanceof ChunkCopier.SourceException ? options.onSourceError() : options.onTargetError();
        if (action == ErrorAction.ENOSPC) {
            action = ErrorPolicy.outOfSpace(failure) ? ErrorAction.STOP : ErrorAction.REPORT;
        }
        switch (action) {
            case REPORT, ENOSPC -> throw failure;
            case IGNORE -> rest(RETRY_MILLIS);
            case STOP -> {
                synchronized (lock) {
                    paused = true;
                    state = JobState.PAUSED;
                    error = failure.getMessage();
                    lock.notifyAll();
                }
                step(0);
            }
        }
    }
}
