package org.jvirt.images.nbd;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Keeps a client connected. A request that was under way when the connection broke is made again on the next one:
/// all requests may be.
///
/// ```
/// connected ──broken──► lost ──within reconnectDelay: tries again and again, requests wait──► connected
///                         └───afterwards: requests fail; one of them tries, at most once in a second──► connected
/// ```
///
/// Thread-safe.
final class Connector {
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final NbdTarget target;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable Link link; // guarded by lock
    private @Nullable ExportDetails first; // guarded by lock
    private boolean connecting; // guarded by lock
    private boolean closed; // guarded by lock
    private long lostAtNanos; // guarded by lock
    private long triedAtNanos; // guarded by lock

    Connector(NbdTarget target) {
        this.target = target;
        triedAtNanos = System.nanoTime() - PAUSE_NANOS;
    }

    /// Something that needs a connection.
    @FunctionalInterface
    interface Action {
        void on(Link link) throws IOException;
    }

    NbdTarget target() {
        return target;
    }

    /// Connects for the first time.
    ExportDetails first() throws IOException {
        Link opened = Link.open(target, target.openTimeout());
        lock.lock();
        try {
            link = opened;
            first = opened.details();
            return opened.details();
        } finally {
            lock.unlock();
        }
    }

    /// @throws IOException if the server refuses, or is not there within its time
    void run(Action action) throws IOException {
        boolean interrupted = false;
        Optional<Long> firstLoss = Optional.empty();
        try {
            while (true) {
                // An interrupt closes the socket that a thread is at; it is not meant for the disk.
                interrupted |= Thread.interrupted();
                Link on = null;
                try {
                    on = connected();
                    action.on(on);
                    return;
                } catch (NbdException e) {
                    throw new IOException("%s: %s".formatted(target.text(), e.getMessage()), e);
                } catch (ProtocolException e) {
                    drop(on);
                    throw new IOException("%s is not served soundly: %s".formatted(target.text(), e.getMessage()), e);
                } catch (LostConnectionException e) {
                    drop(on);
                    firstLoss = Optional.of(firstLoss.orElse(System.nanoTime()));
                    if (!mayRepeat(e, firstLoss.get())) {
                        throw new IOException(
                                "The server of %s has gone: %s".formatted(target.text(), e.getMessage()), e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// A server may break each connection anew.
    private boolean mayRepeat(LostConnectionException lost, long firstLossNanos) {
        return System.nanoTime() - firstLossNanos < target.reconnectDelay().toNanos()
                || lost.getCause() instanceof ClosedByInterruptException;
    }

    private void drop(@Nullable Link broken) throws IOException {
        if (broken == null) {
            return;
        }
        lock.lock();
        try {
            if (link == broken) {
                link = null;
                lostAtNanos = System.nanoTime();
                // The first attempt may be made at once.
                triedAtNanos = lostAtNanos - PAUSE_NANOS;
            }
        } finally {
            lock.unlock();
        }
        broken.close();
    }

    private Link connected() throws IOException {
        lock.lock();
        try {
            while (true) {
                if (closed) {
                    throw new IOException("%s has been closed".formatted(target.text()));
                }
                if (link != null) {
                    return link;
                }
                if (connecting) {
                    changed.awaitUninterruptibly();
                } else {
                    connectLocked();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void connectLocked() throws IOException {
        long now = System.nanoTime();
        long left = target.reconnectDelay().toNanos() - (now - lostAtNanos);
        if (left <= 0 && now - triedAtNanos < PAUSE_NANOS) {
            throw new IOException("The server of %s has gone".formatted(target.text()));
        }
        connecting = true;
        triedAtNanos = now;
        Optional<IOException> failure = Optional.empty();
        Link opened = null;
        lock.unlock();
        try {
            Duration timeout = left > 0 ? Duration.ofNanos(left) : target.openTimeout();
            opened = Link.open(target, timeout.compareTo(target.openTimeout()) < 0 ? timeout : target.openTimeout());
        } catch (IOException e) {
            failure = Optional.of(e);
        } finally {
            lock.lock();
            connecting = false;
            changed.signalAll();
        }
        if (opened != null) {
            takeLocked(opened);
        } else if (System.nanoTime() - lostAtNanos >= target.reconnectDelay().toNanos()) {
            throw new IOException(
                    "The server of %s has gone and does not come back: %s"
                            .formatted(
                                    target.text(),
                                    failure.map(Throwable::getMessage).orElse("")),
                    failure.orElse(null));
        } else {
            pauseLocked();
        }
    }

    private void pauseLocked() {
        long pause = System.nanoTime() - lostAtNanos < PAUSE_NANOS ? FIRST_PAUSE_NANOS : PAUSE_NANOS;
        connecting = true;
        try {
            long left = pause;
            while (left > 0 && !closed) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // Tried again a little earlier; whoever interrupts learns of it when the request is over.
            Thread.currentThread().interrupt();
        } finally {
            connecting = false;
            changed.signalAll();
        }
    }

    private void takeLocked(Link opened) throws IOException {
        ExportDetails before = first;
        ExportDetails now = opened.details();
        boolean same = before != null
                && before.sizeBytes() == now.sizeBytes()
                && (before.flags() & ~now.flags()) == 0
                && before.minimumBytes() == now.minimumBytes()
                && before.pieceBytes() <= now.pieceBytes();
        if (closed || !same) {
            opened.close();
            throw new IOException(
                    "%s is not the same disk any more since its server has come back".formatted(target.text()));
        }
        link = opened;
    }

    void close() throws IOException {
        Link last;
        lock.lock();
        try {
            closed = true;
            last = link;
            link = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (last != null) {
            last.close();
        }
    }
}
