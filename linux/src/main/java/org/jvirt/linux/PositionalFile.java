package org.jvirt.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/// An open file or block device, accessed by position alone. Thread-safe, but for [#close], which must come last.
///
/// Unlike a channel of the Java platform, it stays open when a thread that uses it is interrupted, it can give
/// space back, it knows holes from data, and its locks belong to it instead of the process. All memory that is
/// handed over
/// must be native. Failures are [IOException]s with the call, the file and the kernel's reason.
public final class PositionalFile implements AutoCloseable {
    /// How a file is opened.
    public enum Mode {
        /// For reading and writing; without it for reading only.
        WRITE,
        /// Makes the file if there is none.
        CREATE,
        /// Fails if there is one.
        EXCLUSIVE,
        /// Past the host's page cache: positions, lengths and memory must be aligned.
        DIRECT,
        /// Each write returns when it is durable.
        DURABLE_WRITES
    }

    /// What a file is, and what it takes.
    ///
    /// @param allocatedBytes what the file system has allotted
    /// @param preferredBlockBytes a good unit for I/O
    public record Status(Kind kind, long sizeBytes, long allocatedBytes, long preferredBlockBytes) {}

    /// What a file is.
    public enum Kind {
        REGULAR,
        BLOCK_DEVICE,
        DIRECTORY,
        OTHER
    }

    /// Whether a lock shuts out all others, or writers only.
    public enum LockKind {
        SHARED,
        EXCLUSIVE
    }

    // asm-generic/fcntl.h; O_DIRECT differs on AArch64.
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0100;
    private static final int O_EXCL = 0200;
    private static final int O_DSYNC = 010000;
    private static final int O_CLOEXEC = 0x80000;
    private static final int O_DIRECT = System.getProperty("os.arch").equals("aarch64") ? 0200000 : 040000;
    private static final int DEFAULT_MODE = 0644;

    private final Path path;
    private final int fd;
    private final AtomicBoolean closed = new AtomicBoolean();

    private PositionalFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    public static PositionalFile open(Path path, Set<Mode> modes) throws IOException {
        int flags = O_CLOEXEC;
        for (Mode mode : modes.isEmpty() ? EnumSet.noneOf(Mode.class) : EnumSet.copyOf(modes)) {
            flags |= switch (mode) {
                case WRITE -> O_RDWR;
                case CREATE -> O_CREAT;
                case EXCLUSIVE -> O_EXCL;
                case DIRECT -> O_DIRECT;
                case DURABLE_WRITES -> O_DSYNC;
            };
        }
        try (Arena arena = Arena.ofConfined()) {
            int fd = LibC.open(arena.allocateFrom(path.toString()), flags, DEFAULT_MODE);
            if (fd < 0) {
                throw new FileCallException("open", path, -fd);
            }
            return new PositionalFile(path, fd);
        }
    }

    public Path path() {
        return path;
    }

    public Status status() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(FileCalls.STATX_BYTES, 8);
            checked("look at", FileCalls.statx(fd, arena.allocateFrom(""), buffer));
            Kind kind = switch (buffer.get(ValueLayout.JAVA_SHORT, FileCalls.STX_MODE) & 0170000) {
                case 0100000 -> Kind.REGULAR;
                case 0060000 -> Kind.BLOCK_DEVICE;
                case 0040000 -> Kind.DIRECTORY;
                default -> Kind.OTHER;
            };
            return new Status(
                    kind,
                    kind == Kind.BLOCK_DEVICE ? sizeBytes() : buffer.get(ValueLayout.JAVA_LONG, FileCalls.STX_SIZE),
                    buffer.get(ValueLayout.JAVA_LONG, FileCalls.STX_BLOCKS) * 512,
                    buffer.get(ValueLayout.JAVA_INT, FileCalls.STX_BLKSIZE));
        }
    }

    /// The size now; of block devices too.
    public long sizeBytes() throws IOException {
        return checked("find the end of", FileCalls.lseek(fd, 0, FileCalls.SEEK_END));
    }

    /// @return how many bytes were read, 0 at the end of the file
    public long read(long offsetBytes, MemorySegment into) throws IOException {
        long count = LibC.pread(fd, into, into.byteSize(), offsetBytes);
        while (count == -FileCalls.EINTR) {
            count = LibC.pread(fd, into, into.byteSize(), offsetBytes);
        }
        return checked("read", count);
    }

    /// @return how many bytes were written, at least one
    public long write(long offsetBytes, MemorySegment from) throws IOException {
        long count = LibC.pwrite(fd, from, from.byteSize(), offsetBytes);
        while (count == -FileCalls.EINTR) {
            count = LibC.pwrite(fd, from, from.byteSize(), offsetBytes);
        }
        if (count == 0 && from.byteSize() > 0) {
            throw new FileCallException("write", path, FileCalls.ENOSPC);
        }
        return checked("write", count);
    }

    public void truncate(long sizeBytes) throws IOException {
        checked("set the size of", FileCalls.ftruncate(fd, sizeBytes));
    }

    /// Makes data, and the metadata needed to find it, durable.
    public void sync() throws IOException {
        checked("make durable", FileCalls.fdatasync(fd));
    }

    /// Gives the space of a range inside the file back; it reads as zeroes then.
    ///
    /// @return whether the file system can do this
    public boolean punchHole(long offsetBytes, long lengthBytes) throws IOException {
        return offered(
                "punch a hole into",
                FileCalls.fallocate(
                        fd, FileCalls.FALLOC_FL_PUNCH_HOLE | FileCalls.FALLOC_FL_KEEP_SIZE, offsetBytes, lengthBytes));
    }

    /// Makes a range zeroes and keeps its space; the file grows as needed.
    ///
    /// @return whether the file system can do this
    public boolean zeroRange(long offsetBytes, long lengthBytes) throws IOException {
        return offered("zero", FileCalls.fallocate(fd, FileCalls.FALLOC_FL_ZERO_RANGE, offsetBytes, lengthBytes));
    }

    /// Reserves space; the file grows as needed.
    ///
    /// @return whether the file system can do this
    public boolean allocate(long offsetBytes, long lengthBytes) throws IOException {
        return offered("allocate space for", FileCalls.fallocate(fd, 0, offsetBytes, lengthBytes));
    }

    /// Tells a block device that a range is not needed.
    ///
    /// @return whether the device can do this
    public boolean discardBlocks(long offsetBytes, long lengthBytes) throws IOException {
        return blockCall("discard blocks of", FileCalls.BLKDISCARD, offsetBytes, lengthBytes);
    }

    /// Has a block device write zeroes itself.
    ///
    /// @return whether the device can do this
    public boolean zeroBlocks(long offsetBytes, long lengthBytes) throws IOException {
        return blockCall("zero blocks of", FileCalls.BLKZEROOUT, offsetBytes, lengthBytes);
    }

    private boolean blockCall(String verb, long request, long offsetBytes, long lengthBytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocateFrom(ValueLayout.JAVA_LONG, offsetBytes, lengthBytes);
            return offered(verb, LibC.ioctl(fd, request, range));
        }
    }

    /// @return the first position from `offsetBytes` on that may hold data, or -1 if there is none up to the end
    public long nextData(long offsetBytes) throws IOException {
        return seek(offsetBytes, FileCalls.SEEK_DATA);
    }

    /// @return the first position from `offsetBytes` on that is in a hole, the end of the file at the latest, or -1
    /// if
    ///     `offsetBytes` is behind it
    public long nextHole(long offsetBytes) throws IOException {
        return seek(offsetBytes, FileCalls.SEEK_HOLE);
    }

    private long seek(long offsetBytes, int whence) throws IOException {
        long at = FileCalls.lseek(fd, offsetBytes, whence);
        if (at == -FileCalls.EINVAL) {
            // Holes are not told: everything is data.
            long size = sizeBytes();
            return offsetBytes >= size ? -1 : whence == FileCalls.SEEK_DATA ? offsetBytes : size;
        }
        return at == -FileCalls.ENXIO ? -1 : checked("look for holes in", at);
    }

    /// Locks bytes for this open file, which need not exist, without waiting. Such locks are seen by all processes,
    /// and by other open files of this one; they end with [#close].
    ///
    /// @return whether the lock was given; without open-file locks in the host's kernel or file system, always
    public boolean tryLock(long offsetBytes, long lengthBytes, LockKind kind) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment flock = FileCalls.flock(arena, kind, offsetBytes, lengthBytes);
            int result = FileCalls.fcntl(fd, FileCalls.F_OFD_SETLK, flock);
            if (result == -FileCalls.EAGAIN || result == -FileCalls.EACCES) {
                return false;
            }
            var _ = offered("lock", result);
            return true;
        }
    }

    /// Whether another open file holds a lock that would keep this one from having `kind`.
    public boolean lockedByOther(long offsetBytes, long lengthBytes, LockKind kind) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment flock = FileCalls.flock(arena, kind, offsetBytes, lengthBytes);
            return offered("look at the locks of", FileCalls.fcntl(fd, FileCalls.F_OFD_GETLK, flock))
                    && FileCalls.isLocked(flock);
        }
    }

    private boolean offered(String verb, int result) throws IOException {
        if (result == -FileCalls.EOPNOTSUPP
                || result == -FileCalls.ENOSYS
                || result == -FileCalls.ENOTTY
                || result == -FileCalls.EINVAL
                || result == -FileCalls.ENODEV) {
            return false;
        }
        checked(verb, result);
        return true;
    }

    private long checked(String verb, long result) throws IOException {
        if (result < 0) {
            throw new FileCallException(verb, path, (int) -result);
        }
        return result;
    }

    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            checked("close", LibC.close(fd));
        }
    }
}
