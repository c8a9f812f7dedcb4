package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// An event descriptor (eventfd(2)): a counter in the kernel that one side adds to, perhaps the kernel itself, and
/// the other waits for.
///
/// [#await] belongs to one thread at a time and must have ended before [#close]; the rest is thread-safe.
public final class EventFd implements AutoCloseable {
    private static final int EFD_CLOEXEC = 0x80000;
    private static final int EINTR = 4;

    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_LONG, 1);
    private final MemorySegment counted = arena.allocate(ValueLayout.JAVA_LONG);
    private boolean closed;

    /// @throws SystemCallException if the host gives none
    public EventFd() {
        fd = LibC.eventfd(0, EFD_CLOEXEC);
        if (fd < 0) {
            arena.close();
            throw new SystemCallException("make an event descriptor", -fd);
        }
    }

    /// Adds one; nothing once it is closed. Never blocks: nobody signals 2^64 times without being heard.
    public synchronized void signal() {
        if (closed) {
            return;
        }
        long written = LibC.write(fd, one, Long.BYTES);
        if (written < 0) {
            throw new SystemCallException("signal event descriptor " + fd, (int) -written);
        }
    }

    /// Waits until the counter is not zero, and makes it zero.
    ///
    /// @return what it was
    public long await() {
        while (true) {
            long read = LibC.read(fd, counted, Long.BYTES);
            if (read == Long.BYTES) {
                return counted.get(ValueLayout.JAVA_LONG, 0);
            }
            if (read != -EINTR) {
                throw new SystemCallException("wait for event descriptor " + fd, (int) -read);
            }
        }
    }

    /// The descriptor's number, for structures that name it.
    public int fd() {
        return fd;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            LibC.close(fd);
            arena.close();
        }
    }
}
