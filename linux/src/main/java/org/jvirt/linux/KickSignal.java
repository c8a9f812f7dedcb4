package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.core.HostFailureException;

/// A signal whose only effect is to make a blocking system call of one thread return (EINTR): how `KVM_RUN` is
/// interrupted.
///
/// It is a real-time signal that neither the Java machine nor the C library uses; the first one without a handler
/// is taken when it is first needed. Its handler is a function of the C library that does nothing but ask for the
/// process number, so no Java code runs in it. `SA_RESTART` keeps calls of other threads and libraries from
/// noticing a stray one; `KVM_RUN` returns all the same.
///
/// Source: sigaction(2), signal-safety(7), Linux UAPI `asm/signal.h`. Thread-safe.
public final class KickSignal {
    private static final int FIRST = 40;
    private static final int LAST = 63;
    private static final int SA_RESTART = 0x1000_0000;
    // struct sigaction of glibc and musl on 64-bit Linux: handler, 128 bytes of mask, flags, restorer
    private static final int SIGACTION_BYTES = 152;
    private static final int SA_FLAGS = 136;
    private static final int PID = (int) ProcessHandle.current().pid();

    private KickSignal() {}

    private static final class Chosen {
        static final int VALUE = install();
    }

    private static int install() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment old = arena.allocate(SIGACTION_BYTES, 8);
            for (int signal = FIRST; signal <= LAST; signal++) {
                check(LibC.sigaction(signal, MemorySegment.NULL, old), signal);
                if (old.get(ValueLayout.JAVA_LONG, 0) == 0) {
                    MemorySegment action = arena.allocate(SIGACTION_BYTES, 8);
                    action.set(ValueLayout.ADDRESS, 0, LibC.symbol("getpid"));
                    action.set(ValueLayout.JAVA_INT, SA_FLAGS, SA_RESTART);
                    check(LibC.sigaction(signal, action, MemorySegment.NULL), signal);
                    return signal;
                }
            }
        }
        throw new HostFailureException(
                "Cannot interrupt system calls: the signals %d to %d are all taken by other libraries"
                        .formatted(FIRST, LAST));
    }

    private static void check(int result, int signal) {
        if (result < 0) {
            throw new SystemCallException("set the handler of signal " + signal, -result);
        }
    }

    /// Makes the signal ready. Before the first [#send].
    public static int number() {
        return Chosen.VALUE;
    }

    /// The calling thread, for [#send].
    public static int currentThread() {
        return LibC.gettid();
    }

    /// Interrupts a thread of this process; one that has ended is none.
    public static void send(int thread) {
        LibC.tgkill(PID, thread, Chosen.VALUE);
    }
}
