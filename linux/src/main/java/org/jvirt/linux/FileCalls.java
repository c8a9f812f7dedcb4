package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The C library's calls on files that [PositionalFile] needs beyond those of [LibC], in the same manner.
// JUSTIFICATION: the Java platform offers no holes, no space reservation and no open-file locks.
// SAFETY: signatures are those of 64-bit Linux, where off_t is a long; each pointer is a live segment of the size that
// the call may touch.
final class FileCalls {
    static final int SEEK_END = 2;
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;
    static final int FALLOC_FL_KEEP_SIZE = 1;
    static final int FALLOC_FL_PUNCH_HOLE = 2;
    static final int FALLOC_FL_ZERO_RANGE = 0x10;
    static final int F_OFD_GETLK = 36;
    static final int F_OFD_SETLK = 37;
    static final long BLKDISCARD = 0x1277;
    static final long BLKZEROOUT = 0x127f;

    static final int EINTR = 4;
    static final int ENXIO = 6;
    static final int EAGAIN = 11;
    static final int EACCES = 13;
    static final int ENODEV = 19;
    static final int EINVAL = 22;
    static final int ENOTTY = 25;
    static final int ENOSPC = 28;
    static final int ENOSYS = 38;
    static final int EOPNOTSUPP = 95;

    // struct statx, linux/stat.h: the same on all architectures.
    static final long STATX_BYTES = 256;
    static final long STX_BLKSIZE = 4;
    static final long STX_MODE = 28;
    static final long STX_SIZE = 40;
    static final long STX_BLOCKS = 48;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int AT_EMPTY_PATH = 0x1000;

    // struct flock of 64-bit Linux: l_type, l_whence (16 bits each), l_start and l_len (64 bits), l_pid.
    private static final long FLOCK_BYTES = 32;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;

    // Each is linked when it is first used: linking costs a start a millisecond a function.
    private static final class Seek {
        static final MethodHandle LSEEK =
                LibC.link("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    }

    private static final class Allocation {
        static final MethodHandle FALLOCATE =
                LibC.link("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    }

    private static final class Sync {
        static final MethodHandle FDATASYNC = LibC.link("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    }

    private static final class Status {
        static final MethodHandle STATX =
                LibC.link("statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
    }

    private static final class Control {
        static final MethodHandle FCNTL = LibC.link(
                "fcntl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
                Linker.Option.firstVariadicArg(2));
    }

    private FileCalls() {}

    static long lseek(int fd, long offset, int whence) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return LibC.result((long) Seek.LSEEK.invokeExact(c, fd, offset, whence), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        int result = EINTR;
        do {
            try {
                MemorySegment c = LibC.CAPTURED.get();
                result = (int) LibC.result((int) Allocation.FALLOCATE.invokeExact(c, fd, mode, offset, length), c);
            } catch (Throwable t) {
                throw LibC.unexpected(t);
            }
        } while (result == -EINTR);
        return result;
    }

    static int ftruncate(int fd, long length) {
        return LibC.ftruncate(fd, length);
    }

    static int fdatasync(int fd) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result((int) Sync.FDATASYNC.invokeExact(c, fd), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static int statx(int fd, MemorySegment emptyPath, MemorySegment buffer) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result(
                    (int) Status.STATX.invokeExact(c, fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC_STATS, buffer), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static MemorySegment flock(Arena arena, PositionalFile.LockKind kind, long offset, long length) {
        MemorySegment flock = arena.allocate(FLOCK_BYTES, 8);
        flock.set(JAVA_SHORT, 0, kind == PositionalFile.LockKind.SHARED ? F_RDLCK : F_WRLCK);
        flock.set(JAVA_LONG, 8, offset);
        flock.set(JAVA_LONG, 16, length);
        return flock;
    }

    /// What F_OFD_GETLK has found.
    static boolean isLocked(MemorySegment flock) {
        return flock.get(JAVA_SHORT, 0) != F_UNLCK;
    }

    static int fcntl(int fd, int command, MemorySegment argument) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result((int) Control.FCNTL.invokeExact(c, fd, command, argument), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }
}
