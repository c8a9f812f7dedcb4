package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;

/// The double-precision instructions that compilers use all the time, in their legacy form: one class each, so that
/// nothing is left to be called indirectly.
final class HotFpOps {
    private HotFpOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case ADDSD -> new Addsd(insn, nextOffset);
            case SUBSD -> new Subsd(insn, nextOffset);
            case MULSD -> new Mulsd(insn, nextOffset);
            case DIVSD -> new Divsd(insn, nextOffset);
            case ADDPD -> new Addpd(insn, nextOffset);
            case MULPD -> new Mulpd(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Addsd extends VectorOp {
        Addsd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long b = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = Fp64.add(m, cpu.xmm[dst], b);
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.xmm[dst] = result;
        }
    }

    private static final class Subsd extends VectorOp {
        Subsd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long b = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = Fp64.sub(m, cpu.xmm[dst], b);
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.xmm[dst] = result;
        }
    }

    private static final class Mulsd extends VectorOp {
        Mulsd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long b = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = Fp64.mul(m, cpu.xmm[dst], b);
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.xmm[dst] = result;
        }
    }

    private static final class Divsd extends VectorOp {
        Divsd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long b = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = Fp64.div(m, cpu.xmm[dst], b);
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.xmm[dst] = result;
        }
    }

    private static final class Addpd extends VectorOp {
        Addpd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long[] x = cpu.xmm;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long low = Fp64.add(m, x[dst], b0);
            long high = Fp64.add(m, x[dst + 1], b1);
            if (m.commit()) {
                throw cpu.xm();
            }
            x[dst] = low;
            x[dst + 1] = high;
        }
    }

    private static final class Mulpd extends VectorOp {
        Mulpd(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long[] x = cpu.xmm;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long low = Fp64.mul(m, x[dst], b0);
            long high = Fp64.mul(m, x[dst + 1], b1);
            if (m.commit()) {
                throw cpu.xm();
            }
            x[dst] = low;
            x[dst + 1] = high;
        }
    }
}
