package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;

/// An open device node with its ioctls. Thread-safe but for [#close].
public final class DeviceFile implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;

    private final Path path;
    private final int fd;

    private DeviceFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /// @throws SystemCallException if it does not open for reading and writing
    public static DeviceFile open(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = LibC.open(arena.allocateFrom(path.toString()), O_RDWR | O_CLOEXEC);
            if (fd < 0) {
                throw new SystemCallException("open " + path, -fd);
            }
            return new DeviceFile(path, fd);
        }
    }

    /// An ioctl whose argument is a number.
    ///
    /// @throws SystemCallException if the kernel refuses
    public int ioctl(String name, long request, long argument) {
        int result = LibC.ioctl(fd, request, argument);
        if (result < 0) {
            throw new SystemCallException("do %s on %s".formatted(name, path), -result);
        }
        return result;
    }

    int fd() {
        return fd;
    }

    @Override
    public void close() {
        LibC.close(fd);
    }
}
