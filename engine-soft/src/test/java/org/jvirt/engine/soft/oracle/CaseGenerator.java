package org.jvirt.engine.soft.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;

/// Makes random instructions with states in which they have something to do: bases point into the data, values are
/// often special, counts of repeated string instructions are small.
///
/// In 32-bit code only the first eight registers and their lower halves are used; there the index of a memory operand
/// is chosen after the instruction is known, as there are too few registers to set some aside.
final class CaseGenerator {
    private static final int POINTERS = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13;
    private static final int INDEXES = 1 << 9 | 1 << 10 | 1 << 11;
    private static final int POINTERS_32 = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7;
    private static final int INDEXES_32 = 1 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7;
    private static final long LOW_HALF = 0xffff_ffffL;
    private static final int RSP = 4;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final long STATUS_FLAGS = 0x8d5;
    private static final long DIRECTION = 0x400;
    private static final long ALWAYS_SET = 0x202;

    private final CodeSize codeSize;
    private final SplittableRandom random;
    private final InstructionGenerator plain;
    private final InstructionGenerator prefixed;
    private boolean usedPrefixed;

    CaseGenerator(CodeSize codeSize, long seed) {
        this.codeSize = codeSize;
        random = new SplittableRandom(seed);
        plain = generator(seed + 1).allPrefixes(false).alignDisplacements(true);
        prefixed = generator(seed + 2).allPrefixes(true);
    }

    private InstructionGenerator generator(long seed) {
        return new InstructionGenerator(seed)
                .registers(codeSize.isLong() ? 0xffff : 0xff)
                .bases(codeSize.isLong() ? POINTERS : POINTERS_32)
                .indexes(codeSize.isLong() ? INDEXES : INDEXES_32)
                .displacements(-256, 255)
                .relativeAddresses(false);
    }

    boolean instruction(OpcodeRow row, Instruction into) {
        usedPrefixed = random.nextInt(8) == 0;
        return (usedPrefixed ? prefixed : plain).generate(row, codeSize, into);
    }

    byte[] bytes() {
        return (usedPrefixed ? prefixed : plain).bytes();
    }

    void state(Instruction insn, MachineState state) {
        if (codeSize.isLong()) {
            registers64(state);
        } else {
            registers32(insn, state);
        }
        state.general[RSP] = TestLayout.DATA + 0x1000 + random.nextInt(-0x40, 0x40) * 8L;
        if (insn.rep() || insn.repne()) {
            state.general[RCX] = random.nextInt(0, 40);
        }
        if ((insn.mnemonic() == Mnemonic.DIV || insn.mnemonic() == Mnemonic.IDIV) && random.nextInt(4) != 0) {
            state.general[RDX] = random.nextBoolean() ? random.nextInt(16) : signs(state.general[0]);
        }
        state.flags = random.nextLong() & STATUS_FLAGS | ALWAYS_SET | (random.nextInt(4) == 0 ? DIRECTION : 0);
        state.fsBase = codeSize.isLong() ? TestLayout.DATA + random.nextInt(16) * 16L : 0;
        state.gsBase = codeSize.isLong() ? random.nextInt(8) * 16L : 0;
        state.rip = TestLayout.CODE;
    }

    private void registers64(MachineState state) {
        for (int i = 0; i < 16; i++) {
            int bit = 1 << i;
            if ((POINTERS & bit) != 0) {
                state.general[i] = pointer();
            } else if ((INDEXES & bit) != 0) {
                state.general[i] = index();
            } else {
                state.general[i] = value();
            }
        }
    }

    private void registers32(Instruction insn, MachineState state) {
        for (int i = 0; i < 8; i++) {
            if ((POINTERS_32 >> i & 1) != 0 && (i != insn.index() || i == insn.base())) {
                state.general[i] = pointer();
            } else if (i == insn.index()) {
                state.general[i] = index() & LOW_HALF;
            } else {
                state.general[i] = value() >> (random.nextBoolean() ? 32 : 0) & LOW_HALF;
            }
        }
    }

    /// What sign extension of the accumulator leaves in rDX.
    private long signs(long accumulator) {
        return codeSize.isLong() ? accumulator >> 63 : (int) accumulator >> 31 & LOW_HALF;
    }

    private long index() {
        return random.nextInt(-16, 17) * (random.nextBoolean() ? 16 : 1);
    }

    private long pointer() {
        long offset = 0x1000 + random.nextInt(-0x7c0, 0x7c0);
        return TestLayout.DATA + (random.nextInt(3) == 0 ? offset : offset & ~15);
    }

    private long value() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextInt(-2, 3);
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            case 3 -> random.nextInt(0, 256);
            case 4 -> random.nextInt();
            case 5 -> -1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    void data(byte[] data) {
        random.nextBytes(data);
        // Half of it is made of numbers that floating-point instructions like.
        var buffer = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i + 16 <= data.length; i += 32) {
            vector(buffer, i);
        }
    }

    /// Registers of the floating-point units.
    void extended(MachineState state) {
        var area = ByteBuffer.wrap(state.extended).order(ByteOrder.LITTLE_ENDIAN);
        boolean unmasked = random.nextInt(8) == 0;
        int control = 0x37f & ~(unmasked ? random.nextInt(64) : 0);
        if (random.nextInt(3) == 0) {
            control = control & 0xff | random.nextInt(4) << 10 | new int[] {0, 2, 3}[random.nextInt(3)] << 8 | 0x40;
        }
        area.putShort(0, (short) control);
        area.putShort(2, (short) (random.nextInt(8) << 11 | random.nextInt(8) << 8 | random.nextInt(2) << 14));
        area.put(4, (byte)
                switch (random.nextInt(4)) {
                    case 0 -> random.nextInt(256);
                    case 1 -> 0;
                    default -> 0xff;
                });
        area.put(5, (byte) 0);
        area.putShort(6, (short) 0).putLong(8, 0).putLong(16, 0);
        int mxcsr = 0x1f80;
        if (random.nextInt(3) == 0) {
            mxcsr = mxcsr
                    | random.nextInt(4) << 13
                    | random.nextInt(2) << 15
                    | random.nextInt(2) << 6
                    | random.nextInt(64);
        }
        if (unmasked) {
            mxcsr &= ~(random.nextInt(64) << 7);
        }
        area.putInt(24, mxcsr);
        for (int i = 0; i < 8; i++) {
            x87(area, 32 + 16 * i);
        }
        for (int i = 0; i < 16; i++) {
            vector(area, 160 + 16 * i);
            area.putLong(576 + 16 * i, random.nextLong()).putLong(576 + 16 * i + 8, random.nextLong());
        }
    }

    private void x87(ByteBuffer area, int at) {
        long significand;
        int exponent;
        switch (random.nextInt(10)) {
            case 0 -> {
                significand = random.nextLong();
                exponent = random.nextInt(0x10000);
            }
            case 1 -> {
                significand = 0;
                exponent = random.nextInt(2) << 15;
            }
            case 2 -> {
                significand = 1L << 63 | (random.nextInt(3) == 0 ? random.nextLong() : 0);
                exponent = 0x7fff | random.nextInt(2) << 15;
            }
            case 3 -> {
                significand = 1L << 63 | (long) random.nextInt(1 << 20) << 40;
                exponent = 16383 + random.nextInt(20) | random.nextInt(2) << 15;
            }
            default -> {
                significand = random.nextLong() | 1L << 63;
                exponent = 16383 + random.nextInt(-70, 70) | random.nextInt(2) << 15;
            }
        }
        area.putLong(at, significand)
                .putShort(at + 8, (short) exponent)
                .putShort(at + 10, (short) 0)
                .putInt(at + 12, 0);
    }

    private void vector(ByteBuffer area, int at) {
        switch (random.nextInt(4)) {
            case 0 -> area.putLong(at, random.nextLong()).putLong(at + 8, random.nextLong());
            case 1 -> area.putDouble(at, RandomNumbers.next(random)).putDouble(at + 8, RandomNumbers.next(random));
            case 2 -> {
                for (int i = 0; i < 4; i++) {
                    area.putFloat(at + 4 * i, (float) RandomNumbers.next(random));
                }
            }
            default -> area.putLong(at, value()).putLong(at + 8, value());
        }
    }
}
