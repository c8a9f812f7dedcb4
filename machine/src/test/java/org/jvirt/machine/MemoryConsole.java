package org.jvirt.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.CharBackend;

/// A serial line's other end that keeps what it is sent. Thread-safe.
final class MemoryConsole implements CharBackend {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private @Nullable Receiver receiver;
    private boolean closed;

    @Override
    public synchronized void connect(Receiver newReceiver) {
        receiver = newReceiver;
    }

    /// Types at the device, whether it has room or not, and even after the end.
    void type(String input) {
        Receiver to;
        synchronized (this) {
            to = receiver;
        }
        byte[] bytes = input.getBytes(StandardCharsets.US_ASCII);
        if (to == null || to.space() < bytes.length) {
            throw new AssertionError("Nobody takes input");
        }
        to.receive(bytes, 0, bytes.length);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
        written.write(bytes, offset, length);
        notifyAll();
    }

    @Override
    public void receiverReady() {
        // Nothing waits.
    }

    @Override
    public synchronized void close() {
        closed = true;
    }

    synchronized String text() {
        return written.toString(StandardCharsets.US_ASCII);
    }

    /// Waits until the text contains `wanted`.
    synchronized void awaitText(String wanted, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!text().contains(wanted)) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new AssertionError("'%s' did not come; there is:%n%s".formatted(wanted, text()));
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    synchronized boolean closed() {
        return closed;
    }
}
