package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.CodeWriter;

/// The time-stamp counter: asks the host's monotonic clock and computes ticks exactly as [org.jvirt.core.TscClock]
/// does, so that it does not matter who executes RDTSC, nor on which processor.
final class CounterCode {
    private static final int RAX = 0;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int RSP = 4;
    private static final int RSI = 6;
    private static final int RDI = 7;
    private static final int CLOCK_MONOTONIC = 1;

    /// What a C function may overwrite and the guest has a value in; RAX and RDX are the result.
    private static final int[] OVERWRITTEN = {RSI, RDI, 8, 9, 10, 11};

    private static final int VECTORS = 16;
    private static final int VECTOR_BYTES = 16;
    private static final int LOAD_UNALIGNED = 0x0F10;
    private static final int STORE_UNALIGNED = 0x0F11;
    /// The return address.
    private static final int PUSHED = 8;

    private static final int MULTIPLY = 4;
    private static final int DIVIDE = 6;
    private static final int MULTIPLY_SIGNED = 0x0FAF;

    private CounterCode() {}

    /// Writes a function without arguments; answers where it begins.
    static int write(CodeWriter w) {
        int start = w.size();
        for (int register : OVERWRITTEN) {
            w.store(8, register, RSP, PUSHED + StateLayout.REGISTERS + 8 * register);
        }
        vectors(w, STORE_UNALIGNED);
        w.constant(RDI, CLOCK_MONOTONIC);
        w.lea(8, RSI, RSP, -1, 0, PUSHED + StateLayout.CLOCK_ANSWER);
        // the stack is aligned to 16 bytes at a call
        w.lea(8, RSP, RSP, -1, 0, -PUSHED);
        w.memory(0xFF, 4, 2, RSP, -1, 0, 2 * PUSHED + StateLayout.CLOCK_FUNCTION);
        w.lea(8, RSP, RSP, -1, 0, PUSHED);
        vectors(w, LOAD_UNALIGNED);
        nanos(w);
        ticks(w);
        for (int register : OVERWRITTEN) {
            w.load(8, register, RSP, PUSHED + StateLayout.REGISTERS + 8 * register);
        }
        w.ret();
        return start;
    }

    /// The lower halves: upper ones stay with all code that is not for AVX.
    private static void vectors(CodeWriter w, int opcode) {
        w.load(4, RCX, RSP, PUSHED + StateLayout.VECTORS_ABSENT);
        w.registers(0x85, 4, RCX, RCX);
        int absent = w.jumpIf(CodeWriter.NOT_EQUAL);
        for (int i = 0; i < VECTORS; i++) {
            w.memory(opcode, 4, i, RSP, -1, 0, PUSHED + StateLayout.HELD_VECTORS + VECTOR_BYTES * i);
        }
        w.here(absent);
    }

    /// Guest time into RAX.
    private static void nanos(CodeWriter w) {
        w.load(8, RAX, RSP, PUSHED + StateLayout.CLOCK_ANSWER);
        w.memory(MULTIPLY_SIGNED, 8, RAX, RSP, -1, 0, PUSHED + StateLayout.NANOS_PER_SECOND);
        w.arithmeticMemory(CodeWriter.ADD, 8, RAX, RSP, -1, PUSHED + StateLayout.CLOCK_ANSWER + 8);
        w.arithmeticMemory(CodeWriter.ADD, 8, RAX, RSP, -1, PUSHED + StateLayout.CLOCK_AHEAD);
    }

    /// Ticks of seconds and of the rest: neither product is longer than 64 bits, so that no quotient is.
    private static void ticks(CodeWriter w) {
        w.constant(RDX, 0);
        w.memory(0xF7, 8, DIVIDE, RSP, -1, 0, PUSHED + StateLayout.NANOS_PER_SECOND);
        w.move(RSI, RAX);
        w.move(RAX, RDX);
        w.memory(0xF7, 8, MULTIPLY, RSP, -1, 0, PUSHED + StateLayout.COUNTER_HZ);
        w.memory(0xF7, 8, DIVIDE, RSP, -1, 0, PUSHED + StateLayout.NANOS_PER_SECOND);
        w.memory(MULTIPLY_SIGNED, 8, RSI, RSP, -1, 0, PUSHED + StateLayout.COUNTER_HZ);
        w.lea(8, RAX, RAX, RSI, 0, 0);
        w.arithmeticMemory(CodeWriter.ADD, 8, RAX, RSP, -1, PUSHED + StateLayout.COUNTER_ADJUST);
        w.move(RDX, RAX);
        w.shift(CodeWriter.SHR, 8, RDX, 32);
        w.move32(RAX, RAX);
    }
}
