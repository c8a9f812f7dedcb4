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
/// In 32-bit code only the first eight registers and their lower halves are used; there the index of a memory
/// operand is chosen after the instruction is known, as there are too few registers to set some aside.
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
    private final RandomRegisters values;
    private final InstructionGenerator plain;
    private final InstructionGenerator prefixed;
    private boolean usedPrefixed;

    CaseGenerator(CodeSize codeSize, long seed) {
        this.codeSize = codeSize;
        random = new SplittableRandom(seed);
        values = new RandomRegisters(random);
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
                state.general[i] = values.value();
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
                state.general[i] = values.value() >> (random.nextBoolean() ? 32 : 0) & LOW_HALF;
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

    void data(byte[] data) {
        values.data(ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
    }

    /// Registers of the floating-point units.
    void extended(MachineState state) {
        values.extended(ByteBuffer.wrap(state.extended).order(ByteOrder.LITTLE_ENDIAN), random.nextInt(8) == 0);
    }
}
