package org.jvirt.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jvirt.core.CharBackend;

/// A serial line's other end that keeps what it is sent. Thread-safe.
final class MemoryConsole implements CharBackend {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private boolean closed;

    @Override
    public void connect(Receiver receiver) {
        // Nothing is typed.
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

    synchronized boolean closed() {
        return closed;
    }
}
