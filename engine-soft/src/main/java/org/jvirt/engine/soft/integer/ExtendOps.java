package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// `MOVZX`, `MOVSX` and `MOVSXD`.
final class ExtendOps {
    private ExtendOps() {}

    static Op of(Instruction insn, int nextOffset) {
        boolean wide = insn.size(0) >= 4 && insn.size(1) < insn.size(0);
        if (wide && insn.kind(1) != OperandKind.GPR8_HIGH) {
            boolean memory = insn.kind(1) == OperandKind.MEMORY;
            return insn.mnemonic() == Mnemonic.MOVZX
                    ? zero(insn, nextOffset, memory)
                    : insn.size(0) == 8 ? signTo64(insn, nextOffset, memory) : signTo32(insn, nextOffset, memory);
        }
        return new General(insn, nextOffset);
    }

    private static Op zero(Instruction insn, int nextOffset, boolean memory) {
        if (insn.size(1) == 1) {
            return memory ? new ZeroMemory8(insn, nextOffset) : new ZeroRegister8(insn, nextOffset);
        }
        return memory ? new ZeroMemory16(insn, nextOffset) : new ZeroRegister16(insn, nextOffset);
    }

    private static Op signTo32(Instruction insn, int nextOffset, boolean memory) {
        if (insn.size(1) == 1) {
            return memory ? new SignMemory8To32(insn, nextOffset) : new SignRegister8To32(insn, nextOffset);
        }
        return memory ? new SignMemory16To32(insn, nextOffset) : new SignRegister16To32(insn, nextOffset);
    }

    private static Op signTo64(Instruction insn, int nextOffset, boolean memory) {
        return switch (insn.size(1)) {
            case 1 -> memory ? new SignMemory8To64(insn, nextOffset) : new SignRegister8To64(insn, nextOffset);
            case 2 -> memory ? new SignMemory16To64(insn, nextOffset) : new SignRegister16To64(insn, nextOffset);
            default -> memory ? new SignMemory32To64(insn, nextOffset) : new SignRegister32To64(insn, nextOffset);
        };
    }

    private static final class ZeroRegister8 extends Shape.RegReg {
        ZeroRegister8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[src] & 0xFF;
        }
    }

    private static final class ZeroRegister16 extends Shape.RegReg {
        ZeroRegister16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[src] & 0xFFFF;
        }
    }

    private static final class ZeroMemory8 extends Shape.RegMem {
        ZeroMemory8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.mmu.load8(address.linear(cpu, 1)) & 0xFF;
        }
    }

    private static final class ZeroMemory16 extends Shape.RegMem {
        ZeroMemory16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.mmu.load16(address.linear(cpu, 2)) & 0xFFFF;
        }
    }

    private static final class SignRegister8To32 extends Shape.RegReg {
        SignRegister8To32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = (byte) r[src] & 0xFFFF_FFFFL;
        }
    }

    private static final class SignRegister8To64 extends Shape.RegReg {
        SignRegister8To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = (byte) r[src];
        }
    }

    private static final class SignRegister16To32 extends Shape.RegReg {
        SignRegister16To32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = (short) r[src] & 0xFFFF_FFFFL;
        }
    }

    private static final class SignRegister16To64 extends Shape.RegReg {
        SignRegister16To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = (short) r[src];
        }
    }

    private static final class SignRegister32To64 extends Shape.RegReg {
        SignRegister32To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = (int) r[src];
        }
    }

    private static final class SignMemory8To32 extends Shape.RegMem {
        SignMemory8To32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = (byte) cpu.mmu.load8(address.linear(cpu, 1)) & 0xFFFF_FFFFL;
        }
    }

    private static final class SignMemory8To64 extends Shape.RegMem {
        SignMemory8To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = (byte) cpu.mmu.load8(address.linear(cpu, 1));
        }
    }

    private static final class SignMemory16To32 extends Shape.RegMem {
        SignMemory16To32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = (short) cpu.mmu.load16(address.linear(cpu, 2)) & 0xFFFF_FFFFL;
        }
    }

    private static final class SignMemory16To64 extends Shape.RegMem {
        SignMemory16To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = (short) cpu.mmu.load16(address.linear(cpu, 2));
        }
    }

    private static final class SignMemory32To64 extends Shape.RegMem {
        SignMemory32To64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.mmu.load32(address.linear(cpu, 4));
        }
    }

    /// High-byte sources, 16-bit destinations, and `MOVSXD` that extends nothing.
    private static final class General extends Op {
        private final Operand dst;
        private final Operand src;
        private final boolean signed;

        General(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            signed = insn.mnemonic() != Mnemonic.MOVZX;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            dst.store(cpu, 0, signed ? Rotates.signExtend(value, 8 * src.size) : value);
        }
    }
}
