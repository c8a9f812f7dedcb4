package org.jvirt.machine.chardev;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.CharBackend;

/// What all character backends have in common: the two directions between a guest's device and a host's stream.
///
/// ```
/// guest ── write ──▶ ring (bounded) ──▶ writer thread ──▶ send()          out
/// guest ◀─ receive ─ deliver() ◀──────────────────────── subclass thread  in
/// ```
///
/// Thread-safe. One lock guards the ring and the receiver; no call into the device or the host is made under it.
public abstract class BufferedBackend implements CharBackend {
    private static final int RING_BYTES = 1 << 20;
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final byte[] ring = new byte[RING_BYTES];
    private final Thread writer;
    private int head;
    private int used;
    private boolean sending;
    private boolean closed;
    private long dropped;
    private @Nullable Receiver receiver;

    /// @param name for the writer thread
    protected BufferedBackend(String name) {
        writer = Thread.ofPlatform().daemon().name(name + "-out").unstarted(this::drain);
    }

    /// Begins to move bytes out; subclasses call it when they are complete.
    protected final void startWriter() {
        writer.start();
    }

    /// Gives bytes to the host; may block. Called on the writer thread only.
    protected abstract void send(byte[] bytes, int length) throws IOException;

    /// Frees the host's side; called once, after the ring has been drained.
    protected abstract void release();

    @Override
    public final void connect(Receiver newReceiver) {
        lock.lock();
        try {
            receiver = newReceiver;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final void receiverReady() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final void write(byte[] bytes, int offset, int length) {
        lock.lock();
        try {
            int at = offset;
            int end = offset + length;
            long patience = PATIENCE_NANOS;
            while (at < end && !closed) {
                if (used == RING_BYTES) {
                    if (patience <= 0) {
                        dropped += end - at;
                        return;
                    }
                    patience = changed.awaitNanos(patience);
                    continue;
                }
                int tail = (head + used) % RING_BYTES;
                int count = Math.min(Math.min(end - at, RING_BYTES - used), RING_BYTES - tail);
                System.arraycopy(bytes, at, ring, tail, count);
                used += count;
                at += count;
                changed.signalAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /// Hands input to the guest, waiting while its device has no room; returns early when the backend is closed.
    protected final void deliver(byte[] bytes, int offset, int length) throws InterruptedException {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            Receiver to = receiverWithRoom();
            if (to == null) {
                return;
            }
            int count = Math.min(end - at, to.space());
            if (count > 0) {
                to.receive(bytes, at, count);
                at += count;
            }
        }
    }

    /// Sends a break condition to the guest, if a device is connected.
    protected final void deliverBreak() {
        Receiver to;
        lock.lock();
        try {
            to = receiver;
        } finally {
            lock.unlock();
        }
        if (to != null) {
            to.breakCondition();
        }
    }

    private @Nullable Receiver receiverWithRoom() throws InterruptedException {
        while (true) {
            Receiver to;
            lock.lock();
            try {
                if (closed) {
                    return null;
                }
                to = receiver;
                if (to == null) {
                    changed.await();
                    continue;
                }
            } finally {
                lock.unlock();
            }
            // Asked without our lock: the device takes its own, and calls receiverReady() under none.
            if (to.space() > 0) {
                return to;
            }
            lock.lock();
            try {
                if (!closed) {
                    // A ready call between the question and here is lost; the time limit makes up for it.
                    changed.await(20, TimeUnit.MILLISECONDS);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /// Bytes from the guest that the host never took.
    public final long dropped() {
        lock.lock();
        try {
            return dropped;
        } finally {
            lock.unlock();
        }
    }

    protected final boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private void drain() {
        var chunk = new byte[8192];
        while (true) {
            int count;
            lock.lock();
            try {
                sending = false;
                changed.signalAll();
                while (used == 0 && !closed) {
                    changed.await();
                }
                if (used == 0) {
                    return;
                }
                count = Math.min(Math.min(used, chunk.length), RING_BYTES - head);
                System.arraycopy(ring, head, chunk, 0, count);
                head = (head + count) % RING_BYTES;
                used -= count;
                sending = true;
                changed.signalAll();
            } catch (InterruptedException e) {
                return;
            } finally {
                lock.unlock();
            }
            try {
                send(chunk, count);
            } catch (IOException e) {
                noteDropped(count);
            }
        }
    }

    private void noteDropped(int count) {
        lock.lock();
        try {
            dropped += count;
        } finally {
            lock.unlock();
        }
    }

    /// Lets the writer finish within a second, then frees the host's side.
    @Override
    public final void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            long patience = TimeUnit.SECONDS.toNanos(1);
            while ((used > 0 || sending) && writer.isAlive() && patience > 0) {
                patience = changed.awaitNanos(patience);
            }
            closed = true;
            changed.signalAll();
        } catch (InterruptedException e) {
            closed = true;
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        release();
        writer.interrupt();
    }
}
