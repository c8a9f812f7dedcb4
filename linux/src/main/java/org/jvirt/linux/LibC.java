package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/// The C library's functions that jvirt calls, one Java method each, named as in C.
///
/// Methods answer what C answers, or `-errno` where C answers -1, so that no caller handles errno itself.
/// Thread-safe.
// JUSTIFICATION: system calls that the Java platform does not offer.
// SAFETY: signatures follow the System V x86-64 and AArch64 ABIs of glibc and musl; variadic ioctl and open are
// declared with their variadic part, and every pointer handed over is a live segment of the size that the call may
// touch.
final class LibC {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

    private LibC() {}

    static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... extra) {
        var options = new Linker.Option[extra.length + 1];
        options[0] = Linker.Option.captureCallState("errno");
        System.arraycopy(extra, 0, options, 1, extra.length);
        return LINKER.downcallHandle(
                LINKER.defaultLookup()
                        .find(name)
                        .orElseThrow(() -> new IllegalStateException("The C library has no " + name)),
                type,
                options);
    }

    /// For calls whose errno nobody asks for: nothing is captured.
    private static MethodHandle linkPlain(String name, FunctionDescriptor type, Linker.Option... options) {
        return LINKER.downcallHandle(symbol(name), type, options);
    }

    /// Where a function of the C library lies.
    static MemorySegment symbol(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new IllegalStateException("The C library has no " + name));
    }

    private static final class Memory {
        static final MethodHandle MLOCK = link("mlock", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        static final MethodHandle MEMFD_CREATE =
                link("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        static final MethodHandle MMAP = link(
                "mmap",
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        static final MethodHandle MUNMAP = link("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        static final MethodHandle MADVISE =
                link("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    }

    private static final class Files {
        static final NumberCall OPEN = new NumberCall("open");
        static final NumberCall CLOSE = new NumberCall("close");
        static final NumberCall FTRUNCATE = new NumberCall("ftruncate");
    }

    /// `pread` and `pwrite`, through one linked form. It holds on to the memory, which another thread may own.
    private static final class Transfers {
        static final MethodHandle TRANSFER = LINKER.downcallHandle(
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG),
                Linker.Option.captureCallState("errno"));
        static final MemorySegment PREAD = symbol("pread");
        static final MemorySegment PWRITE = symbol("pwrite");
    }

    // Linking costs a start some milliseconds a function: each class holds what is used together.
    private static final class Streams {
        static final MethodHandle READ = link("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
        static final MethodHandle WRITE = link("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
        static final MethodHandle POLL = link("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
        static final MethodHandle EVENTFD = link("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    }

    private static final class Ioctls {
        static final MethodHandle IOCTL_LONG = link(
                "ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(2));
        static final MethodHandle IOCTL_POINTER = link(
                "ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                Linker.Option.firstVariadicArg(2));
        static final MethodHandle IOCTL_PLAIN = linkPlain(
                "ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(2));
    }

    private static final class Terminals {
        static final MethodHandle TCGETATTR = link("tcgetattr", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
        static final MethodHandle TCSETATTR =
                link("tcsetattr", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
        static final MethodHandle ISATTY = link("isatty", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    }

    private static final class Signals {
        static final MethodHandle SIGACTION =
                link("sigaction", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
        static final MethodHandle GETTID = linkPlain("gettid", FunctionDescriptor.of(JAVA_INT));
        static final MethodHandle TGKILL =
                link("tgkill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    }

    private static final class Processes {
        static final MethodHandle PTRACE = link(
                "ptrace",
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(1));
        static final MethodHandle WAITPID =
                link("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
        static final MethodHandle KILL = link("kill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        // posix_spawn answers the error number itself.
        static final MethodHandle POSIX_SPAWN = link(
                "posix_spawn", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
    }

    static long result(long value, MemorySegment captured) {
        return value == -1 ? -(int) ERRNO.get(captured, 0L) : value;
    }

    static IllegalStateException unexpected(Throwable t) {
        return new IllegalStateException("A downcall threw", t);
    }

    static int memfdCreate(MemorySegment name, int flags) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Memory.MEMFD_CREATE.invokeExact(c, name, flags), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ftruncate(int fd, long length) {
        return Files.FTRUNCATE.callForInt(fd, length, 0, 0, 0);
    }

    static long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Memory.MMAP.invokeExact(c, address, length, protection, flags, fd, offset), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int munmap(long address, long length) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Memory.MUNMAP.invokeExact(c, address, length), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int madvise(long address, long length, int advice) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Memory.MADVISE.invokeExact(c, address, length, advice), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int open(MemorySegment path, int flags) {
        return open(path, flags, 0);
    }

    static int open(MemorySegment path, int flags, int mode) {
        try {
            return Files.OPEN.callForInt(path.address(), flags, mode, 0, 0);
        } finally {
            Reference.reachabilityFence(path);
        }
    }

    static int close(int fd) {
        return Files.CLOSE.callForInt(fd, 0, 0, 0, 0);
    }

    static long read(int fd, MemorySegment into, long length) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Streams.READ.invokeExact(c, fd, into, length), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long write(int fd, MemorySegment from, long length) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Streams.WRITE.invokeExact(c, fd, from, length), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int poll(MemorySegment pollfds, long count, int timeoutMillis) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Streams.POLL.invokeExact(c, pollfds, count, timeoutMillis), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ioctl(int fd, long request, long argument) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Ioctls.IOCTL_LONG.invokeExact(c, fd, request, argument), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ioctl(int fd, long request, MemorySegment argument) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Ioctls.IOCTL_POINTER.invokeExact(c, fd, request, argument), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /// Answers -1 for every failure, whatever its errno.
    static int ioctlPlain(int fd, long request, long argument) {
        try {
            return (int) Ioctls.IOCTL_PLAIN.invokeExact(fd, request, argument);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int eventfd(int initial, int flags) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Streams.EVENTFD.invokeExact(c, initial, flags), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int mlock(long address, long length) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Memory.MLOCK.invokeExact(c, address, length), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int sigaction(int signal, MemorySegment action, MemorySegment old) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Signals.SIGACTION.invokeExact(c, signal, action, old), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int gettid() {
        try {
            return (int) Signals.GETTID.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int tgkill(int process, int thread, int signal) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Signals.TGKILL.invokeExact(c, process, thread, signal), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long pread(int fd, MemorySegment into, long length, long offset) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Transfers.TRANSFER.invokeExact(Transfers.PREAD, c, fd, into, length, offset), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long pwrite(int fd, MemorySegment from, long length, long offset) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Transfers.TRANSFER.invokeExact(Transfers.PWRITE, c, fd, from, length, offset), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int tcgetattr(int fd, MemorySegment termios) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Terminals.TCGETATTR.invokeExact(c, fd, termios), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int tcsetattr(int fd, int when, MemorySegment termios) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Terminals.TCSETATTR.invokeExact(c, fd, when, termios), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static boolean isatty(int fd) {
        try {
            return (int) Terminals.ISATTY.invokeExact(CAPTURED.get(), fd) == 1;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long ptrace(int request, int pid, long address, long data) {
        try {
            MemorySegment c = CAPTURED.get();
            return result((long) Processes.PTRACE.invokeExact(c, request, pid, address, data), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int waitpid(int pid, MemorySegment status, int options) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Processes.WAITPID.invokeExact(c, pid, status, options), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int kill(int pid, int signal) {
        try {
            MemorySegment c = CAPTURED.get();
            return (int) result((int) Processes.KILL.invokeExact(c, pid, signal), c);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int posixSpawn(MemorySegment pid, MemorySegment path, MemorySegment argv, MemorySegment envp) {
        try {
            MemorySegment none = MemorySegment.NULL;
            return -(int) Processes.POSIX_SPAWN.invokeExact(CAPTURED.get(), pid, path, none, none, argv, envp);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
