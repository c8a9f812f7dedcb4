package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// A function of the C library that takes up to five integers and pointers, and answers an integer.
///
/// All of them are called through one linked form: a form of its own for each function costs a start some
/// milliseconds apiece. Thread-safe.
// JUSTIFICATION: as LibC's.
// SAFETY: the ABIs of 64-bit Linux pass int, long, off_t and pointers alike, each in a register or slot of 64 bits, to
// variadic functions and others; a function does not look at what it has no parameter for. The form is declared
// variadic, which costs nothing and makes room where an ABI wants it. Callers keep alive what they pass the address of.
final class NumberCall {
    private static final MethodHandle CALL = Linker.nativeLinker()
            .downcallHandle(
                    FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                    Linker.Option.captureCallState("errno"),
                    Linker.Option.firstVariadicArg(1));

    private final MemorySegment function;

    NumberCall(String name) {
        function = LibC.symbol(name);
    }

    /// For functions that answer 64 bits: what they answer, or `-errno` for -1.
    long call(long first, long second, long third, long fourth, long fifth) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            return LibC.result((long) CALL.invokeExact(function, c, first, second, third, fourth, fifth), c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }

    /// For functions that answer an `int`.
    int callForInt(long first, long second, long third, long fourth, long fifth) {
        try {
            MemorySegment c = LibC.CAPTURED.get();
            long answer = (long) CALL.invokeExact(function, c, first, second, third, fourth, fifth);
            return (int) LibC.result((int) answer, c);
        } catch (Throwable t) {
            throw LibC.unexpected(t);
        }
    }
}
