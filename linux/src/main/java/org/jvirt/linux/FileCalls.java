package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/// The C library's calls on files that [PositionalFile] needs beyond those of [LibC], in the same manner.
// JUSTIFICATION: the Java platform offers no holes, no space reservation and no open-file locks.
// SAFETY: signatures are those of 64-bit Linux, where off_t is a long; each pointer is that of a live segment of the
// size
// that the call may touch, in an arena that the caller's method closes.
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

    private static final NumberCall LSEEK = new NumberCall("lseek");
    private static final NumberCall FALLOCATE = new NumberCall("fallocate");
    private static final NumberCall FDATASYNC = new NumberCall("fdatasync");
    private static final NumberCall STATX = new NumberCall("statx");
    private static final NumberCall FCNTL = new NumberCall("fcntl");

    private FileCalls() {}

    static long lseek(int fd, long offset, int whence) {
        return LSEEK.call(fd, offset, whence, 0, 0);
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        int result = FALLOCATE.callForInt(fd, mode, offset, length, 0);
        while (result == -EINTR) {
            result = FALLOCATE.callForInt(fd, mode, offset, length, 0);
        }
        return result;
    }

    static int ftruncate(int fd, long length) {
        return LibC.ftruncate(fd, length);
    }

    static int fdatasync(int fd) {
        return FDATASYNC.callForInt(fd, 0, 0, 0, 0);
    }

    static int statx(int fd, MemorySegment emptyPath, MemorySegment buffer) {
        try {
            return STATX.callForInt(fd, emptyPath.address(), AT_EMPTY_PATH, STATX_BASIC_STATS, buffer.address());
        } finally {
            Reference.reachabilityFence(emptyPath);
            Reference.reachabilityFence(buffer);
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
            return FCNTL.callForInt(fd, command, argument.address(), 0, 0);
        } finally {
            Reference.reachabilityFence(argument);
        }
    }
}
