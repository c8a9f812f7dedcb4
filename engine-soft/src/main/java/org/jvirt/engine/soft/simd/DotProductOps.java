package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;

/// `DPPS` and `DPPD`. They work in steps, the products, their sums, and with four elements the sum of these; an
/// unmasked exception in one step keeps the next from being taken.
final class DotProductOps {
    private DotProductOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case DPPS, VDPPS -> new OfSingles(insn, nextOffset);
            case DPPD, VDPPD -> new OfDoubles(insn, nextOffset);
            default -> null;
        };
    }

    private static void endStep(Cpu cpu, Mxcsr m) {
        if (m.commit()) {
            throw cpu.xm();
        }
        m.begin();
    }

    private static final class OfSingles extends VectorOp {
        OfSingles(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        private static int high(long word) {
            return (int) (word >>> 32);
        }

        private static long products(Mxcsr m, long a, long b, int chosen) {
            return join(
                    (chosen & 1) == 0 ? 0 : Fp32.mul(m, (int) a, (int) b),
                    (chosen & 2) == 0 ? 0 : Fp32.mul(m, high(a), high(b)));
        }

        private static long sums(Mxcsr m, long x, long y) {
            return join(Fp32.add(m, (int) x, high(x)), Fp32.add(m, (int) y, high(y)));
        }

        private static long placed(int sum, int places) {
            return join((places & 1) == 0 ? 0 : sum, (places & 2) == 0 ? 0 : sum);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long b2 = wide ? word(cpu, la, 2) : 0;
            long b3 = wide ? word(cpu, la, 3) : 0;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long p0 = products(m, cpu.xmm[a], b0, imm >>> 4);
            long p1 = products(m, cpu.xmm[a + 1], b1, imm >>> 6);
            long p2 = wide ? products(m, cpu.ymmHigh[a], b2, imm >>> 4) : 0;
            long p3 = wide ? products(m, cpu.ymmHigh[a + 1], b3, imm >>> 6) : 0;
            endStep(cpu, m);
            long low = sums(m, p0, p1);
            long high = wide ? sums(m, p2, p3) : 0;
            endStep(cpu, m);
            int sum = Fp32.add(m, (int) low, high(low));
            int sumHigh = wide ? Fp32.add(m, (int) high, high(high)) : 0;
            endStep(cpu, m);
            if (wide) {
                set(cpu, placed(sum, imm), placed(sum, imm >>> 2), placed(sumHigh, imm), placed(sumHigh, imm >>> 2));
            } else {
                set(cpu, placed(sum, imm), placed(sum, imm >>> 2));
            }
        }
    }

    private static final class OfDoubles extends VectorOp {
        OfDoubles(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long p0 = (imm & 0x10) == 0 ? 0 : Fp64.mul(m, cpu.xmm[a], b0);
            long p1 = (imm & 0x20) == 0 ? 0 : Fp64.mul(m, cpu.xmm[a + 1], b1);
            endStep(cpu, m);
            long sum = Fp64.add(m, p0, p1);
            endStep(cpu, m);
            set(cpu, (imm & 1) == 0 ? 0 : sum, (imm & 2) == 0 ? 0 : sum);
        }
    }
}
