package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// `ADC` and `SBB` on registers of 32 and 64 bits; [ArithmeticOps] has the rest.
final class CarryOps {
    private CarryOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        boolean add = insn.mnemonic() == Mnemonic.ADC;
        return switch (Shape.of(insn)) {
            case REG_REG32 -> add ? new AdcRegReg32(insn, nextOffset) : new SbbRegReg32(insn, nextOffset);
            case REG_REG64 -> add ? new AdcRegReg64(insn, nextOffset) : new SbbRegReg64(insn, nextOffset);
            case REG_IMM32 -> add ? new AdcRegImm32(insn, nextOffset) : new SbbRegImm32(insn, nextOffset);
            case REG_IMM64 -> add ? new AdcRegImm64(insn, nextOffset) : new SbbRegImm64(insn, nextOffset);
            case REG_MEM32 -> add ? new AdcRegMem32(insn, nextOffset) : new SbbRegMem32(insn, nextOffset);
            case REG_MEM64 -> add ? new AdcRegMem64(insn, nextOffset) : new SbbRegMem64(insn, nextOffset);
            default -> null;
        };
    }

    private static final class AdcRegReg32 extends Shape.RegReg {
        AdcRegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc32((int) r[dst], (int) r[src]) & 0xFFFF_FFFFL;
        }
    }

    private static final class AdcRegReg64 extends Shape.RegReg {
        AdcRegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc64(r[dst], r[src]);
        }
    }

    private static final class AdcRegImm32 extends Shape.RegImm {
        AdcRegImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc32((int) r[dst], (int) imm) & 0xFFFF_FFFFL;
        }
    }

    private static final class AdcRegImm64 extends Shape.RegImm {
        AdcRegImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc64(r[dst], imm);
        }
    }

    private static final class AdcRegMem32 extends Shape.RegMem {
        AdcRegMem32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc32((int) r[dst], value) & 0xFFFF_FFFFL;
        }
    }

    private static final class AdcRegMem64 extends Shape.RegMem {
        AdcRegMem64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            long[] r = cpu.r;
            r[dst] = cpu.flags.adc64(r[dst], value);
        }
    }

    private static final class SbbRegReg32 extends Shape.RegReg {
        SbbRegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb32((int) r[dst], (int) r[src]) & 0xFFFF_FFFFL;
        }
    }

    private static final class SbbRegReg64 extends Shape.RegReg {
        SbbRegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb64(r[dst], r[src]);
        }
    }

    private static final class SbbRegImm32 extends Shape.RegImm {
        SbbRegImm32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb32((int) r[dst], (int) imm) & 0xFFFF_FFFFL;
        }
    }

    private static final class SbbRegImm64 extends Shape.RegImm {
        SbbRegImm64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb64(r[dst], imm);
        }
    }

    private static final class SbbRegMem32 extends Shape.RegMem {
        SbbRegMem32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb32((int) r[dst], value) & 0xFFFF_FFFFL;
        }
    }

    private static final class SbbRegMem64 extends Shape.RegMem {
        SbbRegMem64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            long[] r = cpu.r;
            r[dst] = cpu.flags.sbb64(r[dst], value);
        }
    }
}
