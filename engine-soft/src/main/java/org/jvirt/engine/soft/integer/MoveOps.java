package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `MOV` between general registers, memory and immediates.
final class MoveOps {
    private MoveOps() {}

    /// An operation for every `MOV` without segment, control or debug register.
    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (Shape.of(insn)) {
            case REG_REG8 -> new RegReg8(insn, nextOffset);
            case REG_REG16 -> new RegReg16(insn, nextOffset);
            case REG_REG32 -> new RegReg32(insn, nextOffset);
            case REG_REG64 -> new RegReg64(insn, nextOffset);
            case REG_IMM8 -> new RegImm8(insn, nextOffset);
            case REG_IMM16 -> new RegImm16(insn, nextOffset);
            case REG_IMM32 -> new RegImm32(insn, nextOffset);
            case REG_IMM64 -> new RegImm64(insn, nextOffset);
            case REG_MEM8 -> new RegMem8(insn, nextOffset);
            case REG_MEM16 -> new RegMem16(insn, nextOffset);
            case REG_MEM32 -> new RegMem32(insn, nextOffset);
            case REG_MEM64 -> new RegMem64(insn, nextOffset);
            case MEM_REG8 -> new MemReg8(insn, nextOffset);
            case MEM_REG16 -> new MemReg16(insn, nextOffset);
            case MEM_REG32 -> new MemReg32(insn, nextOffset);
            case MEM_REG64 -> new MemReg64(insn, nextOffset);
            case MEM_IMM8 -> new MemImm8(insn, nextOffset);
            case MEM_IMM16 -> new MemImm16(insn, nextOffset);
            case MEM_IMM32 -> new MemImm32(insn, nextOffset);
            case MEM_IMM64 -> new MemImm64(insn, nextOffset);
            default -> general(insn, nextOffset);
        };
    }

    /// `MOV` with AH, CH, DH or BH.
    private static @Nullable Op general(Instruction insn, int nextOffset) {
        return isInteger(insn.kind(0)) && isInteger(insn.kind(1)) ? new General(insn, nextOffset) : null;
    }

    private static boolean isInteger(OperandKind kind) {
        return switch (kind) {
            case GPR, GPR8_HIGH, MEMORY, IMMEDIATE -> true;
            default -> false;
        };
    }

    private static final class RegReg8 extends Shape.RegReg {
        RegReg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | r[src] & 0xFF;
        }
    }

    private static final class RegReg16 extends Shape.RegReg {
        RegReg16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFFFL | r[src] & 0xFFFF;
        }
    }

    private static final class RegReg32 extends Shape.RegReg {
        RegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[src] & 0xFFFF_FFFFL;
        }
    }

    private static final class RegReg64 extends Shape.RegReg {
        RegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[src];
        }
    }

    private static final class RegImm8 extends Shape.RegImm {
        RegImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | imm & 0xFF;
        }
    }

    private static final class RegImm16 extends Shape.RegImm {
        RegImm16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFFFL | imm & 0xFFFF;
        }
    }

    private static final class RegImm32 extends Shape.RegImm {
        RegImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = imm & 0xFFFF_FFFFL;
        }
    }

    private static final class RegImm64 extends Shape.RegImm {
        RegImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = imm;
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
            r[dst] = r[dst] & ~0xFFL | value & 0xFF;
        }
    }

    private static final class RegMem16 extends Shape.RegMem {
        RegMem16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load16(address.linear(cpu, 2));
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFFFL | value & 0xFFFF;
        }
    }

    private static final class RegMem32 extends Shape.RegMem {
        RegMem32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.mmu.load32(address.linear(cpu, 4)) & 0xFFFF_FFFFL;
        }
    }

    private static final class RegMem64 extends Shape.RegMem {
        RegMem64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.mmu.load64(address.linear(cpu, 8));
        }
    }

    private static final class MemReg8 extends Shape.MemReg {
        MemReg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store8(address.linearForWrite(cpu, 1), (int) cpu.r[src]);
        }
    }

    private static final class MemReg16 extends Shape.MemReg {
        MemReg16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store16(address.linearForWrite(cpu, 2), (int) cpu.r[src]);
        }
    }

    private static final class MemReg32 extends Shape.MemReg {
        MemReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store32(address.linearForWrite(cpu, 4), (int) cpu.r[src]);
        }
    }

    private static final class MemReg64 extends Shape.MemReg {
        MemReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store64(address.linearForWrite(cpu, 8), cpu.r[src]);
        }
    }

    private static final class MemImm8 extends Shape.MemImm {
        MemImm8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store8(address.linearForWrite(cpu, 1), (int) imm);
        }
    }

    private static final class MemImm16 extends Shape.MemImm {
        MemImm16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store16(address.linearForWrite(cpu, 2), (int) imm);
        }
    }

    private static final class MemImm32 extends Shape.MemImm {
        MemImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store32(address.linearForWrite(cpu, 4), (int) imm);
        }
    }

    private static final class MemImm64 extends Shape.MemImm {
        MemImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.store64(address.linearForWrite(cpu, 8), imm);
        }
    }

    private static final class General extends Op {
        private final Operand dst;
        private final Operand src;

        General(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            dst.store(cpu, at, src.read(cpu));
        }
    }
}
