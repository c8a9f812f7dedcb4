package org.jvirt.x86;

import java.util.Arrays;

/// Writes 64-bit host code into a buffer that grows: the few instructions that a code generator puts around others,
/// by name, and whatever else through its [Encoder]. Register numbers are the encoding's: 0 RAX, 1 RCX, 2 RDX, 3
/// RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI, 8 to 15.
///
/// The buffer stands for a place in memory that begins at [#origin]; jumps take and give offsets in the buffer, or
/// places beyond it counted like [#origin]. Nothing is allocated once the buffer is large enough. Not thread-safe.
public final class CodeWriter {
    /// Second operands of the group-1 operations, as opcode extensions.
    public static final int ADD = 0;

    public static final int OR = 1;
    public static final int AND = 4;
    public static final int SUB = 5;
    public static final int XOR = 6;
    public static final int CMP = 7;

    /// Shift operations, as opcode extensions.
    public static final int SHL = 4;

    public static final int SHR = 5;
    public static final int SAR = 7;

    /// Condition codes.
    public static final int BELOW = 2;

    public static final int ABOVE_EQUAL = 3;
    public static final int EQUAL = 4;
    public static final int NOT_EQUAL = 5;
    public static final int BELOW_EQUAL = 6;
    public static final int ABOVE = 7;

    private static final int RSP = 4;
    private static final int NONE = -1;

    private final Encoder encoder = new Encoder();
    private byte[] code = new byte[1 << 12];
    private int at;
    private long origin;

    /// Begins anew, for code that will stand at `newOrigin`.
    public void begin(long newOrigin) {
        at = 0;
        origin = newOrigin;
    }

    /// The bytes written so far are the first [#size] of this.
    public byte[] bytes() {
        return code;
    }

    public int size() {
        return at;
    }

    public long origin() {
        return origin;
    }

    /// The encoder to pass to [#emit].
    public Encoder encoder() {
        return encoder;
    }

    private void room() {
        if (at + 64 > code.length) {
            code = Arrays.copyOf(code, code.length * 2);
        }
    }

    /// Writes what has been put together in [#encoder]; false, and nothing is written, if it has no encoding.
    public boolean emit() {
        room();
        int length = encoder.encode(encoder.pending(), code, at);
        at += length;
        return length != 0;
    }

    public void byte1(int value) {
        room();
        code[at++] = (byte) value;
    }

    public void short2(int value) {
        byte1(value);
        byte1(value >> 8);
    }

    public void int4(int value) {
        room();
        code[at] = (byte) value;
        code[at + 1] = (byte) (value >> 8);
        code[at + 2] = (byte) (value >> 16);
        code[at + 3] = (byte) (value >> 24);
        at += 4;
    }

    public void long8(long value) {
        int4((int) value);
        int4((int) (value >> 32));
    }

    /// Any opcode of the one-byte map (0xNN) or the two-byte map (0x0FNN) with a register and a memory operand.
    public void memory(int opcode, int size, int reg, int base, int index, int scale, int displacement) {
        room();
        if (size == 2) {
            code[at++] = 0x66;
        }
        int rex = (size == 8 ? 8 : 0) | reg >> 1 & 4 | (index > 7 ? 2 : 0) | (base > 7 ? 1 : 0);
        if (rex != 0 || size == 1 && reg >= 4) {
            code[at++] = (byte) (0x40 | rex);
        }
        opcode(opcode);
        boolean wide = displacement != (byte) displacement;
        int mod = wide ? 0x80 : displacement != 0 || (base & 7) == 5 ? 0x40 : 0;
        if (base < 0) {
            code[at++] = (byte) ((reg & 7) << 3 | 4);
            code[at++] = (byte) (scale << 6 | (index < 0 ? 4 : index & 7) << 3 | 5);
            int4(displacement);
            return;
        }
        if (index >= 0 || (base & 7) == RSP) {
            code[at++] = (byte) (mod | (reg & 7) << 3 | 4);
            code[at++] = (byte) ((index < 0 ? 0 : scale << 6) | (index < 0 ? 4 : index & 7) << 3 | base & 7);
        } else {
            code[at++] = (byte) (mod | (reg & 7) << 3 | base & 7);
        }
        if (mod == 0x80) {
            int4(displacement);
        } else if (mod == 0x40) {
            code[at++] = (byte) displacement;
        }
    }

    private void opcode(int opcode) {
        if (opcode > 0xFF) {
            code[at++] = (byte) (opcode >> 8);
        }
        code[at++] = (byte) opcode;
    }

    /// Any such opcode with two registers.
    public void registers(int opcode, int size, int reg, int rm) {
        room();
        if (size == 2) {
            code[at++] = 0x66;
        }
        int rex = (size == 8 ? 8 : 0) | reg >> 1 & 4 | rm >> 3;
        if (rex != 0 || size == 1 && (reg >= 4 || rm >= 4)) {
            code[at++] = (byte) (0x40 | rex);
        }
        opcode(opcode);
        code[at++] = (byte) (0xC0 | (reg & 7) << 3 | rm & 7);
    }

    // ---------------------------------------------------------------- moves

    public void move(int to, int from) {
        if (to != from) {
            registers(0x8B, 8, to, from);
        }
    }

    public void move32(int to, int from) {
        registers(0x8B, 4, to, from);
    }

    /// Loads 4 or 8 bytes.
    public void load(int size, int to, int base, int displacement) {
        memory(0x8B, size, to, base, NONE, 0, displacement);
    }

    public void load(int size, int to, int base, int index, int scale, int displacement) {
        memory(0x8B, size, to, base, index, scale, displacement);
    }

    /// Stores 1 to 8 bytes.
    public void store(int size, int from, int base, int displacement) {
        memory(size == 1 ? 0x88 : 0x89, size, from, base, NONE, 0, displacement);
    }

    public void store(int size, int from, int base, int index, int displacement) {
        memory(size == 1 ? 0x88 : 0x89, size, from, base, index, 0, displacement);
    }

    /// Stores a constant of 4 bytes, or of 8 sign-extended from 4.
    public void storeConstant(int size, int value, int base, int index, int displacement) {
        memory(0xC7, size, 0, base, index, 0, displacement);
        if (size == 2) {
            short2(value);
        } else {
            int4(value);
        }
    }

    /// Loads a constant without touching flags, as short as it goes.
    public void constant(int to, long value) {
        room();
        if (value >>> 32 == 0) {
            if (to > 7) {
                code[at++] = 0x41;
            }
            code[at++] = (byte) (0xB8 | to & 7);
            int4((int) value);
        } else if ((int) value == value) {
            registers(0xC7, 8, 0, to);
            int4((int) value);
        } else {
            code[at++] = (byte) (to > 7 ? 0x49 : 0x48);
            code[at++] = (byte) (0xB8 | to & 7);
            long8(value);
        }
    }

    public void lea(int size, int to, int base, int index, int scale, int displacement) {
        memory(0x8D, size, to, base, index, scale, displacement);
    }

    // ---------------------------------------------------------------- arithmetic

    /// A group-1 operation of a register with a constant.
    public void arithmetic(int operation, int size, int register, int constant) {
        boolean small = constant == (byte) constant;
        registers(small ? 0x83 : 0x81, size, operation, register);
        if (small) {
            byte1(constant);
        } else {
            int4(constant);
        }
    }

    /// A group-1 operation of a register with another.
    public void arithmeticRegister(int operation, int size, int to, int from) {
        registers(operation << 3 | 3, size, to, from);
    }

    /// A group-1 operation of a register with memory.
    public void arithmeticMemory(int operation, int size, int to, int base, int index, int displacement) {
        memory(operation << 3 | 3, size, to, base, index, 0, displacement);
    }

    /// CMP of 4 or 8 bytes of memory with a constant of one byte.
    public void compareConstant(int size, int base, int displacement, int constant) {
        memory(0x83, size, CMP, base, NONE, 0, displacement);
        byte1(constant);
    }

    public void shift(int operation, int size, int register, int count) {
        registers(0xC1, size, operation, register);
        byte1(count);
    }

    /// PEXT: the bits of `from` that a mask in memory chooses, packed; flags stay. Needs BMI2.
    public void extractBits(int to, int from, int maskBase, int maskDisplacement) {
        if (maskBase != RSP) {
            throw new IllegalArgumentException("A mask at a distance from RSP is expected");
        }
        boolean near = maskDisplacement == (byte) maskDisplacement;
        // VEX.LZ.F3.0F38.W1 F5 /r
        byte1(0xC4);
        byte1((to > 7 ? 0 : 0x80) | 0x60 | 2);
        byte1(0x80 | (~from & 15) << 3 | 2);
        byte1(0xF5);
        byte1((near ? 0x44 : 0x84) | (to & 7) << 3);
        byte1(0x24);
        if (near) {
            byte1(maskDisplacement);
        } else {
            int4(maskDisplacement);
        }
    }

    /// TEST of a register with a sign-extended constant.
    public void test(int size, int register, int constant) {
        registers(0xF7, size, 0, register);
        int4(constant);
    }

    /// Saves the status flags in AX: OF in AL, the others in AH. RAX is overwritten.
    public void flagsToRax() {
        byte1(0x9F);
        byte1(0x0F);
        byte1(0x90);
        byte1(0xC0);
    }

    /// Restores the status flags from AX as [#flagsToRax] leaves it.
    public void flagsFromRax() {
        byte1(0x04);
        byte1(0x7F);
        byte1(0x9E);
    }

    // ---------------------------------------------------------------- control flow

    /// A conditional jump to somewhere later; answers what [#here] needs.
    public int jumpIf(int condition) {
        byte1(0x0F);
        byte1(0x80 | condition);
        int4(0);
        return at;
    }

    public int jump() {
        byte1(0xE9);
        int4(0);
        return at;
    }

    /// `jrcxz` to somewhere at most 127 bytes later; answers what [#hereShort] needs.
    public int jumpIfRcxZero() {
        byte1(0xE3);
        byte1(0);
        return at;
    }

    /// The jump that [#jumpIf] or [#jump] wrote goes here.
    public void here(int jump) {
        patch(jump, at);
    }

    /// The jump goes to an offset of the buffer.
    public void patch(int jump, int target) {
        int distance = target - jump;
        code[jump - 4] = (byte) distance;
        code[jump - 3] = (byte) (distance >> 8);
        code[jump - 2] = (byte) (distance >> 16);
        code[jump - 1] = (byte) (distance >> 24);
    }

    public void hereShort(int jump) {
        int distance = at - jump;
        if (distance > 127) {
            throw new IllegalStateException("A short jump over %d bytes".formatted(distance));
        }
        code[jump - 1] = (byte) distance;
    }

    /// Jumps backward, to an offset of the buffer.
    public void jumpBack(int target) {
        int jump = jump();
        patch(jump, target);
    }

    public void jumpBackIf(int condition, int target) {
        int jump = jumpIf(condition);
        patch(jump, target);
    }

    /// Calls a place counted like [#origin].
    public void callFar(long place) {
        byte1(0xE8);
        int4((int) (place - (origin + at + 4)));
    }

    public void jumpFar(long place) {
        byte1(0xE9);
        int4((int) (place - (origin + at + 4)));
    }

    /// Jumps to the address that is in memory.
    public void jumpMemory(int base, int index, int scale, int displacement) {
        memory(0xFF, 4, 4, base, index, scale, displacement);
    }

    public void push(int register) {
        if (register > 7) {
            byte1(0x41);
        }
        byte1(0x50 | register & 7);
    }

    public void pop(int register) {
        if (register > 7) {
            byte1(0x41);
        }
        byte1(0x58 | register & 7);
    }

    public void ret() {
        byte1(0xC3);
    }
}
