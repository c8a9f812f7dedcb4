package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// The integer instructions of 128 bits that compilers and string functions use all the time, in their legacy form:
/// one class each, so that nothing is left to be called indirectly.
final class HotIntegerOps {
    private HotIntegerOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        if (insn.vex() || insn.operandCount() < 2 || insn.kind(0) != OperandKind.XMM) {
            return null;
        }
        boolean byImmediate = insn.kind(1) == OperandKind.IMMEDIATE;
        return switch (insn.mnemonic()) {
            case PXOR, XORPS, XORPD -> new Pxor(insn, nextOffset);
            case POR, ORPS, ORPD -> new Por(insn, nextOffset);
            case PAND, ANDPS, ANDPD -> new Pand(insn, nextOffset);
            case PCMPEQB -> new Pcmpeqb(insn, nextOffset);
            case PMINUB -> new Pminub(insn, nextOffset);
            case PSUBB -> new Psubb(insn, nextOffset);
            case PADDD -> new Paddd(insn, nextOffset);
            case PADDQ -> new Paddq(insn, nextOffset);
            case PSHUFD -> new Pshufd(insn, nextOffset);
            case PUNPCKLBW -> new Punpcklbw(insn, nextOffset);
            case PUNPCKLDQ, UNPCKLPS -> new Punpckldq(insn, nextOffset);
            case PUNPCKLQDQ, UNPCKLPD -> new Punpcklqdq(insn, nextOffset);
            case PSLLQ -> byImmediate ? new Psllq(insn, nextOffset) : null;
            case PSRLQ -> byImmediate ? new Psrlq(insn, nextOffset) : null;
            case PSLLD -> byImmediate ? new Pslld(insn, nextOffset) : null;
            case PSRLD -> byImmediate ? new Psrld(insn, nextOffset) : null;
            default -> null;
        };
    }

    private static final class Pxor extends VectorOp {
        Pxor(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.pxor(x[dst], b0);
            x[dst + 1] = PackedIntegers.pxor(x[dst + 1], b1);
        }
    }

    private static final class Por extends VectorOp {
        Por(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.por(x[dst], b0);
            x[dst + 1] = PackedIntegers.por(x[dst + 1], b1);
        }
    }

    private static final class Pand extends VectorOp {
        Pand(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.pand(x[dst], b0);
            x[dst + 1] = PackedIntegers.pand(x[dst + 1], b1);
        }
    }

    private static final class Pcmpeqb extends VectorOp {
        Pcmpeqb(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.pcmpeqb(x[dst], b0);
            x[dst + 1] = PackedIntegers.pcmpeqb(x[dst + 1], b1);
        }
    }

    private static final class Pminub extends VectorOp {
        Pminub(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.pminub(x[dst], b0);
            x[dst + 1] = PackedIntegers.pminub(x[dst + 1], b1);
        }
    }

    private static final class Psubb extends VectorOp {
        Psubb(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.psubb(x[dst], b0);
            x[dst + 1] = PackedIntegers.psubb(x[dst + 1], b1);
        }
    }

    private static final class Paddd extends VectorOp {
        Paddd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.paddd(x[dst], b0);
            x[dst + 1] = PackedIntegers.paddd(x[dst + 1], b1);
        }
    }

    private static final class Paddq extends VectorOp {
        Paddq(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = PackedIntegers.paddq(x[dst], b0);
            x[dst + 1] = PackedIntegers.paddq(x[dst + 1], b1);
        }
    }

    private static final class Pshufd extends VectorOp {
        Pshufd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            x[dst] = LaneFunctions.pshufd(0, 0, 0, b0, b1, imm);
            x[dst + 1] = LaneFunctions.pshufd(1, 0, 0, b0, b1, imm);
        }
    }

    private static final class Punpcklbw extends VectorOp {
        Punpcklbw(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            word(cpu, la, 1);
            long a0 = x[dst];
            x[dst] = PackedShuffles.punpcklbw(a0, b0);
            x[dst + 1] = PackedShuffles.punpckhbw(a0, b0);
        }
    }

    private static final class Punpckldq extends VectorOp {
        Punpckldq(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            word(cpu, la, 1);
            long a0 = x[dst];
            x[dst] = PackedShuffles.punpckldq(a0, b0);
            x[dst + 1] = PackedShuffles.punpckhdq(a0, b0);
        }
    }

    private static final class Punpcklqdq extends VectorOp {
        Punpcklqdq(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            word(cpu, la, 1);
            x[dst + 1] = b0;
        }
    }

    private static final class Psllq extends VectorOp {
        private final int count;

        Psllq(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 0);
            count = PackedShifts.count(imm);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            x[dst] = PackedShifts.psllq(x[dst], count);
            x[dst + 1] = PackedShifts.psllq(x[dst + 1], count);
        }
    }

    private static final class Psrlq extends VectorOp {
        private final int count;

        Psrlq(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 0);
            count = PackedShifts.count(imm);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            x[dst] = PackedShifts.psrlq(x[dst], count);
            x[dst + 1] = PackedShifts.psrlq(x[dst + 1], count);
        }
    }

    private static final class Pslld extends VectorOp {
        private final int count;

        Pslld(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 0);
            count = PackedShifts.count(imm);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            x[dst] = PackedShifts.pslld(x[dst], count);
            x[dst + 1] = PackedShifts.pslld(x[dst + 1], count);
        }
    }

    private static final class Psrld extends VectorOp {
        private final int count;

        Psrld(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 0);
            count = PackedShifts.count(imm);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            x[dst] = PackedShifts.psrld(x[dst], count);
            x[dst + 1] = PackedShifts.psrld(x[dst + 1], count);
        }
    }
}
