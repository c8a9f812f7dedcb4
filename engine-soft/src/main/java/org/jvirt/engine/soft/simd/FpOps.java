package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;

/// Floating-point instructions whose result has the form of their operands, and the comparisons that set flags.
final class FpOps {
    private FpOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        switch (insn.mnemonic()) {
            case UCOMISS, VUCOMISS, COMISS, VCOMISS, UCOMISD, VUCOMISD, COMISD, VCOMISD -> {
                return new Compare(insn, nextOffset);
            }
            default -> {
                // computes a vector
            }
        }
        boolean scalar = isScalar(insn);
        FpFunctions.SinglePrecision single = FpFunctions.single(insn.mnemonic());
        if (single != null) {
            return scalar ? new ScalarSingle(insn, nextOffset, single) : new PackedSingle(insn, nextOffset, single);
        }
        FpFunctions.DoublePrecision function = FpFunctions.doublePrecision(insn.mnemonic());
        if (function != null) {
            return scalar ? new ScalarDouble(insn, nextOffset, function) : new PackedDouble(insn, nextOffset, function);
        }
        FpFunctions.Lane lane = FpFunctions.lane(insn.mnemonic());
        return lane == null ? null : new FpLane(insn, nextOffset, lane);
    }

    private static boolean isScalar(Instruction insn) {
        String name = insn.mnemonic().name();
        return name.endsWith("SS") || name.endsWith("SD");
    }

    private static final class ScalarSingle extends VectorOp {
        private final FpFunctions.SinglePrecision function;

        ScalarSingle(Instruction insn, int nextOffset, FpFunctions.SinglePrecision function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            int source = (int) word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long low = cpu.xmm[a];
            int result = function.apply(m, (int) low, source, imm);
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, low & 0xFFFF_FFFF_0000_0000L | result & 0xFFFF_FFFFL, cpu.xmm[a + 1]);
        }
    }

    private static final class ScalarDouble extends VectorOp {
        private final FpFunctions.DoublePrecision function;

        ScalarDouble(Instruction insn, int nextOffset, FpFunctions.DoublePrecision function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long source = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = function.apply(m, cpu.xmm[a], source, imm);
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, result, cpu.xmm[a + 1]);
        }
    }

    private static final class PackedSingle extends VectorOp {
        private final FpFunctions.SinglePrecision function;

        PackedSingle(Instruction insn, int nextOffset, FpFunctions.SinglePrecision function) {
            super(insn, nextOffset);
            this.function = function;
        }

        private long pair(Mxcsr m, long x, long y) {
            return join(
                    function.apply(m, (int) x, (int) y, imm),
                    function.apply(m, (int) (x >>> 32), (int) (y >>> 32), imm));
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
            long w0 = pair(m, cpu.xmm[a], b0);
            long w1 = pair(m, cpu.xmm[a + 1], b1);
            if (wide) {
                long w2 = pair(m, cpu.ymmHigh[a], b2);
                long w3 = pair(m, cpu.ymmHigh[a + 1], b3);
                if (m.commit()) {
                    throw cpu.xm();
                }
                set(cpu, w0, w1, w2, w3);
                return;
            }
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, w0, w1);
        }
    }

    private static final class PackedDouble extends VectorOp {
        private final FpFunctions.DoublePrecision function;

        PackedDouble(Instruction insn, int nextOffset, FpFunctions.DoublePrecision function) {
            super(insn, nextOffset);
            this.function = function;
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
            long w0 = function.apply(m, cpu.xmm[a], b0, imm);
            long w1 = function.apply(m, cpu.xmm[a + 1], b1, imm);
            if (wide) {
                long w2 = function.apply(m, cpu.ymmHigh[a], b2, imm);
                long w3 = function.apply(m, cpu.ymmHigh[a + 1], b3, imm);
                if (m.commit()) {
                    throw cpu.xm();
                }
                set(cpu, w0, w1, w2, w3);
                return;
            }
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, w0, w1);
        }
    }

    private static final class FpLane extends VectorOp {
        private final FpFunctions.Lane function;

        FpLane(Instruction insn, int nextOffset, FpFunctions.Lane function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long b2 = wide ? word(cpu, la, 2) : 0;
            long b3 = wide ? word(cpu, la, 3) : 0;
            long a0 = cpu.xmm[a];
            long a1 = cpu.xmm[a + 1];
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long w0 = function.apply(m, 0, a0, a1, b0, b1, imm);
            long w1 = function.apply(m, 1, a0, a1, b0, b1, imm);
            if (wide) {
                long a2 = cpu.ymmHigh[a];
                long a3 = cpu.ymmHigh[a + 1];
                long w2 = function.apply(m, 0, a2, a3, b2, b3, imm);
                long w3 = function.apply(m, 1, a2, a3, b2, b3, imm);
                if (m.commit()) {
                    throw cpu.xm();
                }
                set(cpu, w0, w1, w2, w3);
                return;
            }
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, w0, w1);
        }
    }

    /// `COMISS`, `COMISD` and, quiet for quiet NaNs, `UCOMISS`, `UCOMISD`.
    private static final class Compare extends VectorOp {
        private final boolean single;
        private final boolean quiet;

        Compare(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 1);
            single = switch (insn.mnemonic()) {
                case UCOMISS, VUCOMISS, COMISS, VCOMISS -> true;
                default -> false;
            };
            quiet = switch (insn.mnemonic()) {
                case UCOMISS, VUCOMISS, UCOMISD, VUCOMISD -> true;
                default -> false;
            };
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long source = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long first = cpu.xmm[dst];
            int result =
                    single ? Fp32.compare(m, (int) first, (int) source, quiet) : Fp64.compare(m, first, source, quiet);
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.flags.unpack(result);
        }
    }
}
