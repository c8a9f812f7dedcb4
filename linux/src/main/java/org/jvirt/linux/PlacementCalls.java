package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The calls about processors and memory nodes, as [LibC] does its own: what C answers, or `-errno`. Thread-safe.
// JUSTIFICATION and SAFETY: as in LibC; mbind has no function in the C library and goes through syscall(2), whose
// arguments are declared with their variadic part.
final class PlacementCalls {
    private static final MethodHandle SCHED_SETAFFINITY =
            LibC.link("sched_setaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle SCHED_SETSCHEDULER =
            LibC.link("sched_setscheduler", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle SETPRIORITY =
            LibC.link("setpriority", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle SYSCALL = LibC.link(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));

    /// `asm/unistd_64.h` and `asm-generic/unistd.h`.
    private static final long SYS_MBIND = System.getProperty("os.arch").equals("amd64") ? 237 : 235;

    private PlacementCalls() {}

    /// @param thread 0 for the calling one
    static int schedSetaffinity(int thread, long maskBytes, MemorySegment mask) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result((int) SCHED_SETAFFINITY.invokeExact(c, thread, maskBytes, mask), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static int schedSetscheduler(int thread, int policy, MemorySegment parameters) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result((int) SCHED_SETSCHEDULER.invokeExact(c, thread, policy, parameters), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static int setpriority(int which, int who, int priority) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result((int) SETPRIORITY.invokeExact(c, which, who, priority), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    static int mbind(long address, long length, int mode, MemorySegment nodes, long maxNode, int flags) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return (int) LibC.result(
                    (long) SYSCALL.invokeExact(
                            c, SYS_MBIND, address, length, (long) mode, nodes, maxNode, (long) flags),
                    c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }
}
