package org.jvirt.linux;

/// The error numbers that jvirt tells apart (`asm-generic/errno-base.h`, `errno.h`).
public enum Errno {
    EPERM(1, "operation not permitted"),
    ENOENT(2, "no such file or directory"),
    ESRCH(3, "no such process"),
    EINTR(4, "interrupted"),
    EIO(5, "input/output error"),
    ENXIO(6, "no such device or address"),
    E2BIG(7, "argument too long"),
    EBADF(9, "bad file descriptor"),
    ECHILD(10, "no child process"),
    EAGAIN(11, "resource temporarily unavailable"),
    ENOMEM(12, "not enough memory"),
    EACCES(13, "permission denied"),
    EFAULT(14, "bad address"),
    EBUSY(16, "device or resource busy"),
    EEXIST(17, "file exists"),
    ENODEV(19, "no such device"),
    EINVAL(22, "invalid argument"),
    ENFILE(23, "too many open files in the system; raise the limit (sysctl fs.file-max)"),
    EMFILE(24, "too many open files in this process; raise the limit (ulimit -n, LimitNOFILE=)"),
    ENOTTY(25, "not a terminal, or request not supported"),
    EFBIG(27, "file too large"),
    ENOSPC(28, "no space left"),
    ENOSYS(38, "not offered by this kernel"),
    OTHER(0, "error");

    private final int number;
    private final String text;

    Errno(int number, String text) {
        this.number = number;
        this.text = text;
    }

    static Errno of(int number) {
        for (Errno e : values()) {
            if (e.number == number) {
                return e;
            }
        }
        return OTHER;
    }

    String describe(int actual) {
        return this == OTHER ? "errno " + actual : "%s (%s)".formatted(text, name());
    }
}
