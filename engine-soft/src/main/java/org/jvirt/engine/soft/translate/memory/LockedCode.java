package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntToLongFunction;
import org.jvirt.engine.soft.cpu.LockedAccess;
import org.jvirt.linux.NativeCode;
import org.jvirt.x86.CodeWriter;

/// The host's own locked instructions for the interpreter. Owner thread only.
public final class LockedCode implements LockedAccess {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final int EXPECTED_LOW = 0;
    private static final int EXPECTED_HIGH = 8;
    private static final int NEW_LOW = 16;
    private static final int NEW_HIGH = 24;
    private static final int OPERAND_BYTES = 32;

    private static final int RAX = 0;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int RBX = 3;
    private static final int RDI = 7;
    private static final int LOCK = 0xF0;

    private final long backing;
    private final MemorySegment operands = Arena.ofAuto().allocate(OPERAND_BYTES, OPERAND_BYTES);
    private final MemorySegment exchange2;
    private final MemorySegment exchange4;
    private final MemorySegment exchange8;
    private final MemorySegment exchange16;

    /// Where the functions are in the code that [#write] wrote.
    ///
    /// @param exchange2 of 2 bytes, and so on
    public record Places(int exchange2, int exchange4, int exchange8, int exchange16) {}

    /// Writes functions of two arguments: the operands here, and the address in memory.
    public static Places write(CodeWriter out) {
        return new Places(exchange(out, 2), exchange(out, 4), exchange(out, 8), exchange16(out));
    }

    /// @param backing address of the guest's backing memory
    /// @param address from an offset of the code to its address
    public LockedCode(long backing, Places places, IntToLongFunction address) {
        this.backing = backing;
        exchange2 = MemorySegment.ofAddress(address.applyAsLong(places.exchange2));
        exchange4 = MemorySegment.ofAddress(address.applyAsLong(places.exchange4));
        exchange8 = MemorySegment.ofAddress(address.applyAsLong(places.exchange8));
        exchange16 = MemorySegment.ofAddress(address.applyAsLong(places.exchange16));
    }

    private static int exchange(CodeWriter out, int size) {
        int start = out.size();
        out.load(8, RAX, RDI, EXPECTED_LOW);
        out.load(8, RCX, RDI, NEW_LOW);
        // lock cmpxchg [rsi], rcx
        if (size == 2) {
            out.byte1(0x66);
        }
        out.byte1(LOCK);
        if (size == 8) {
            out.byte1(0x48);
        }
        out.byte1(0x0F);
        out.byte1(0xB1);
        out.byte1(0x0E);
        out.store(8, RAX, RDI, EXPECTED_LOW);
        out.ret();
        return start;
    }

    private static int exchange16(CodeWriter out) {
        int start = out.size();
        out.push(RBX);
        out.load(8, RAX, RDI, EXPECTED_LOW);
        out.load(8, RDX, RDI, EXPECTED_HIGH);
        out.load(8, RBX, RDI, NEW_LOW);
        out.load(8, RCX, RDI, NEW_HIGH);
        // lock cmpxchg16b [rsi]
        out.byte1(LOCK);
        out.byte1(0x48);
        out.byte1(0x0F);
        out.byte1(0xC7);
        out.byte1(0x0E);
        out.store(8, RAX, RDI, EXPECTED_LOW);
        out.store(8, RDX, RDI, EXPECTED_HIGH);
        // sete al; movzx eax, al
        out.byte1(0x0F);
        out.byte1(0x94);
        out.byte1(0xC0);
        out.registers(0x0FB6, 4, RAX, RAX);
        out.pop(RBX);
        out.ret();
        return start;
    }

    @Override
    public long exchange(long at, int size, long expected, long value) {
        operands.set(LONG, EXPECTED_LOW, expected);
        operands.set(LONG, NEW_LOW, value);
        MemorySegment code = size == 8 ? exchange8 : size == 4 ? exchange4 : exchange2;
        var _ = NativeCode.enter(code, operands.address(), backing + at);
        long found = operands.get(LONG, EXPECTED_LOW);
        return size == 8 ? found : found & (1L << 8 * size) - 1;
    }

    @Override
    public boolean exchange16(long at, long expectedLow, long expectedHigh, long low, long high) {
        operands.set(LONG, EXPECTED_LOW, expectedLow);
        operands.set(LONG, EXPECTED_HIGH, expectedHigh);
        operands.set(LONG, NEW_LOW, low);
        operands.set(LONG, NEW_HIGH, high);
        return NativeCode.enter(exchange16, operands.address(), backing + at) != 0;
    }

    @Override
    public long foundLow() {
        return operands.get(LONG, EXPECTED_LOW);
    }

    @Override
    public long foundHigh() {
        return operands.get(LONG, EXPECTED_HIGH);
    }
}
