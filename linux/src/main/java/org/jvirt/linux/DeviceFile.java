package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// An open device node, or what one of its ioctls has made of it (a virtual machine of `/dev/kvm`), with its ioctls
/// and mappings. Thread-safe but for [#close], which must come last.
public final class DeviceFile implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;

    private final String name;
    private final int fd;
    private final List<Arena> mappings = new ArrayList<>();

    private DeviceFile(String name, int fd) {
        this.name = name;
        this.fd = fd;
    }

    /// @throws SystemCallException if it does not open for reading and writing
    public static DeviceFile open(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = LibC.open(arena.allocateFrom(path.toString()), O_RDWR | O_CLOEXEC);
            if (fd < 0) {
                throw new SystemCallException("open " + path, -fd);
            }
            return new DeviceFile(path.toString(), fd);
        }
    }

    /// An ioctl whose argument is a number.
    ///
    /// @throws SystemCallException if the kernel refuses
    public int ioctl(String call, long request, long argument) {
        return checked(call, tryIoctl(request, argument));
    }

    /// An ioctl whose argument is a structure.
    ///
    /// @param argument native memory as large as the call wants
    /// @throws SystemCallException if the kernel refuses
    public int ioctl(String call, long request, MemorySegment argument) {
        return checked(call, tryIoctl(request, argument));
    }

    /// As [#ioctl(String, long, long)], but answers `-errno` where the kernel refuses.
    public int tryIoctl(long request, long argument) {
        return LibC.ioctl(fd, request, argument);
    }

    /// As [#ioctl(String, long, MemorySegment)], but answers `-errno` where the kernel refuses.
    public int tryIoctl(long request, MemorySegment argument) {
        return LibC.ioctl(fd, request, argument);
    }

    /// An ioctl that answers a new descriptor, such as `KVM_CREATE_VM`.
    ///
    /// @param newName what it stands for, in messages
    /// @throws SystemCallException if the kernel refuses
    public DeviceFile create(String newName, String call, long request, long argument) {
        return new DeviceFile(newName, ioctl(call, request, argument));
    }

    private int checked(String call, int result) {
        if (result < 0) {
            throw new SystemCallException("do %s on %s".formatted(call, name), -result);
        }
        return result;
    }

    /// Maps a part of it, readable, writable and shared, until [#close].
    ///
    /// @throws SystemCallException if the kernel refuses
    public synchronized MemorySegment map(long offset, long sizeBytes) {
        long address = LibC.mmap(0, sizeBytes, PROT_READ_WRITE, MAP_SHARED, fd, offset);
        if (address < 0 && address > -4096) {
            throw new SystemCallException("map %d bytes of %s".formatted(sizeBytes, name), (int) -address);
        }
        Arena arena = Arena.ofShared();
        mappings.add(arena);
        // JUSTIFICATION: mmap answers a bare address. SAFETY: the size is the mapping's own, and the arena's closing
        // action unmaps it after all access has ended.
        return MemorySegment.ofAddress(address)
                .reinterpret(sizeBytes, arena, mapped -> LibC.munmap(mapped.address(), mapped.byteSize()));
    }

    /// An ioctl to be done over and over.
    public RepeatedCall repeated(long request) {
        return new RepeatedCall(fd, request);
    }

    /// The descriptor's number, for structures that name it.
    public int fd() {
        return fd;
    }

    @Override
    public String toString() {
        return name;
    }

    @Override
    public synchronized void close() {
        mappings.forEach(Arena::close);
        mappings.clear();
        LibC.close(fd);
    }
}
