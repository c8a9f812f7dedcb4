package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Calls machine code that was generated at run time.
// JUSTIFICATION: the translator's code is entered here and nowhere else.
// SAFETY: the caller passes the address of an entry sequence that keeps to the System V ABI and of a state block of the
// layout that it expects; neither is unmapped while a thread is inside.
public final class NativeCode {
    private static final MethodHandle ENTER =
            Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));

    private NativeCode() {}

    /// Address of `clock_gettime(int clock, struct timespec *answer)`, for generated code to call.
    public static long clockFunction() {
        return LibC.symbol("clock_gettime").address();
    }

    /// Calls `code(state, target)`.
    public static int enter(MemorySegment code, long state, long target) {
        try {
            return (int) ENTER.invokeExact(code, state, target);
        } catch (Throwable t) {
            throw new IllegalStateException("A downcall threw", t);
        }
    }
}
