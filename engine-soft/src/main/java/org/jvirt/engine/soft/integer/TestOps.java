package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `TEST` in its frequent shapes, a class each; [ArithmeticOps] has the rest.
final class TestOps {
    private TestOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (Shape.of(insn)) {
            case REG_REG8 -> new RegReg8(insn, nextOffset);
            case REG_REG32 -> new RegReg32(insn, nextOffset);
            case REG_REG64 -> new RegReg64(insn, nextOffset);
            case REG_IMM8 -> new RegImm8(insn, nextOffset);
            case REG_IMM32 -> new RegImm32(insn, nextOffset);
            case REG_IMM64 -> new RegImm64(insn, nextOffset);
            case MEM_REG8 -> new MemReg8(insn, nextOffset);
            case MEM_REG32 -> new MemReg32(insn, nextOffset);
            case MEM_REG64 -> new MemReg64(insn, nextOffset);
            case MEM_IMM8 -> new MemImm8(insn, nextOffset);
            case MEM_IMM32 -> new MemImm32(insn, nextOffset);
            case MEM_IMM64 -> new MemImm64(insn, nextOffset);
            default -> null;
        };
    }

    private static final class RegReg8 extends Shape.RegReg {
        RegReg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            cpu.flags.logic8((int) r[dst] & (int) r[src]);
        }
    }

    private static final class RegReg32 extends Shape.RegReg {
        RegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            cpu.flags.logic32((int) r[dst] & (int) r[src]);
        }
    }

    private static final class RegReg64 extends Shape.RegReg {
        RegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            cpu.flags.logic64(r[dst] & r[src]);
        }
    }

    private static final class RegImm8 extends Shape.RegImm {
        RegImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.flags.logic8((int) cpu.r[dst] & (int) imm);
        }
    }

    private static final class RegImm32 extends Shape.RegImm {
        RegImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.flags.logic32((int) cpu.r[dst] & (int) imm);
        }
    }

    private static final class RegImm64 extends Shape.RegImm {
        RegImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.flags.logic64(cpu.r[dst] & imm);
        }
    }

    private static final class MemReg8 extends Shape.MemReg {
        MemReg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load8(address.linear(cpu, 1));
            cpu.flags.logic8(value & (int) cpu.r[src]);
        }
    }

    private static final class MemReg32 extends Shape.MemReg {
        MemReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            cpu.flags.logic32(value & (int) cpu.r[src]);
        }
    }

    private static final class MemReg64 extends Shape.MemReg {
        MemReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            cpu.flags.logic64(value & cpu.r[src]);
        }
    }

    private static final class MemImm8 extends Shape.MemImm {
        MemImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load8(address.linear(cpu, 1));
            cpu.flags.logic8(value & (int) imm);
        }
    }

    private static final class MemImm32 extends Shape.MemImm {
        MemImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            cpu.flags.logic32(value & (int) imm);
        }
    }

    private static final class MemImm64 extends Shape.MemImm {
        MemImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            cpu.flags.logic64(value & imm);
        }
    }
}
