package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Mmu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `AND` in its frequent shapes, a class each; [ArithmeticOps] has the rest.
final class AndOps {
    private AndOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (Shape.of(insn)) {
            case REG_REG8 -> new RegReg8(insn, nextOffset);
            case REG_REG32 -> new RegReg32(insn, nextOffset);
            case REG_REG64 -> new RegReg64(insn, nextOffset);
            case REG_IMM8 -> new RegImm8(insn, nextOffset);
            case REG_IMM32 -> new RegImm32(insn, nextOffset);
            case REG_IMM64 -> new RegImm64(insn, nextOffset);
            case REG_MEM8 -> new RegMem8(insn, nextOffset);
            case REG_MEM32 -> new RegMem32(insn, nextOffset);
            case REG_MEM64 -> new RegMem64(insn, nextOffset);
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
            r[dst] = r[dst] & ~0xFFL | cpu.flags.logic8((int) r[dst] & (int) r[src]);
        }
    }

    private static final class RegReg32 extends Shape.RegReg {
        RegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic32((int) r[dst] & (int) r[src]) & 0xFFFF_FFFFL;
        }
    }

    private static final class RegReg64 extends Shape.RegReg {
        RegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic64(r[dst] & r[src]);
        }
    }

    private static final class RegImm8 extends Shape.RegImm {
        RegImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | cpu.flags.logic8((int) r[dst] & (int) imm);
        }
    }

    private static final class RegImm32 extends Shape.RegImm {
        RegImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic32((int) r[dst] & (int) imm) & 0xFFFF_FFFFL;
        }
    }

    private static final class RegImm64 extends Shape.RegImm {
        RegImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic64(r[dst] & imm);
        }
    }

    private static final class RegMem8 extends Shape.RegMem {
        RegMem8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load8(address.linear(cpu, 1));
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | cpu.flags.logic8((int) r[dst] & value);
        }
    }

    private static final class RegMem32 extends Shape.RegMem {
        RegMem32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic32((int) r[dst] & value) & 0xFFFF_FFFFL;
        }
    }

    private static final class RegMem64 extends Shape.RegMem {
        RegMem64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            long[] r = cpu.r;
            r[dst] = cpu.flags.logic64(r[dst] & value);
        }
    }

    private static final class MemReg8 extends Shape.MemReg {
        MemReg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, cpu.flags.logic8(mmu.load8(la) & (int) cpu.r[src]));
        }
    }

    private static final class MemReg32 extends Shape.MemReg {
        MemReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, cpu.flags.logic32(mmu.load32(la) & (int) cpu.r[src]));
        }
    }

    private static final class MemReg64 extends Shape.MemReg {
        MemReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, cpu.flags.logic64(mmu.load64(la) & cpu.r[src]));
        }
    }

    private static final class MemImm8 extends Shape.MemImm {
        MemImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, cpu.flags.logic8(mmu.load8(la) & (int) imm));
        }
    }

    private static final class MemImm32 extends Shape.MemImm {
        MemImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, cpu.flags.logic32(mmu.load32(la) & (int) imm));
        }
    }

    private static final class MemImm64 extends Shape.MemImm {
        MemImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, cpu.flags.logic64(mmu.load64(la) & imm));
        }
    }
}
