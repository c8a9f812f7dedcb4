package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// Conversions between elements of different width, and between vector and general registers.
final class ConvertOps {
    private ConvertOps() {}

    /// One element to a double-width one.
    @FunctionalInterface
    interface Widening {
        long apply(Mxcsr m, int element);
    }

    /// One element to a half-width one.
    @FunctionalInterface
    interface Narrowing {
        int apply(Mxcsr m, long element);
    }

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case CVTPS2PD, VCVTPS2PD -> new Widen(insn, nextOffset, Fp32::toF64);
            case CVTDQ2PD, VCVTDQ2PD -> new Widen(insn, nextOffset, (m, element) -> Fp64.fromInt32(element));
            case CVTPD2PS, VCVTPD2PS -> new Narrow(insn, nextOffset, Fp64::toF32);
            case CVTPD2DQ, VCVTPD2DQ -> new Narrow(insn, nextOffset, Fp64::toInt32);
            case CVTTPD2DQ, VCVTTPD2DQ -> new Narrow(insn, nextOffset, Fp64::truncateToInt32);
            case CVTSD2SS, VCVTSD2SS -> new DoubleToSingle(insn, nextOffset);
            case CVTSI2SS, VCVTSI2SS, CVTSI2SD, VCVTSI2SD -> new FromInteger(insn, nextOffset);
            case CVTSS2SI, VCVTSS2SI, CVTTSS2SI, VCVTTSS2SI, CVTSD2SI, VCVTSD2SI, CVTTSD2SI, VCVTTSD2SI ->
                new ToInteger(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Widen extends VectorOp {
        private final Widening function;

        Widen(Instruction insn, int nextOffset, Widening function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = wide ? word(cpu, la, 1) : 0;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long w0 = function.apply(m, (int) b0);
            long w1 = function.apply(m, (int) (b0 >>> 32));
            if (!wide) {
                if (m.commit()) {
                    throw cpu.xm();
                }
                set(cpu, w0, w1);
                return;
            }
            long w2 = function.apply(m, (int) b1);
            long w3 = function.apply(m, (int) (b1 >>> 32));
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, w0, w1, w2, w3);
        }
    }

    /// The result has 64 or 128 bits; the rest of the destination's low lane becomes zero.
    private static final class Narrow extends VectorOp {
        private final Narrowing function;

        Narrow(Instruction insn, int nextOffset, Narrowing function) {
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
            long low = join(function.apply(m, b0), function.apply(m, b1));
            long high = wide ? join(function.apply(m, b2), function.apply(m, b3)) : 0;
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, low, high);
        }
    }

    private static final class DoubleToSingle extends VectorOp {
        DoubleToSingle(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long source = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            int result = Fp64.toF32(m, source);
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, cpu.xmm[a] & 0xFFFF_FFFF_0000_0000L | result & 0xFFFF_FFFFL, cpu.xmm[a + 1]);
        }
    }

    /// `CVTSI2SS` and `CVTSI2SD` from a general register or memory.
    private static final class FromInteger extends VectorOp {
        private final boolean single;
        private final int register;

        FromInteger(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            single = insn.mnemonic() == Mnemonic.CVTSI2SS || insn.mnemonic() == Mnemonic.VCVTSI2SS;
            register = insn.register(insn.operandCount() - 1);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long source = address == null ? cpu.r[register] : word(cpu, locate(cpu), 0);
            long value = bytes == 8 ? source : (int) source;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long low = single
                    ? cpu.xmm[a] & 0xFFFF_FFFF_0000_0000L | Fp32.fromInt64(m, value) & 0xFFFF_FFFFL
                    : Fp64.fromInt64(m, value);
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, low, cpu.xmm[a + 1]);
        }
    }

    /// `CVTSS2SI`, `CVTSD2SI` and the truncating ones.
    private static final class ToInteger extends VectorOp {
        private final boolean single;
        private final boolean truncating;
        private final int register;
        private final boolean to64;

        ToInteger(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 1);
            single = switch (insn.mnemonic()) {
                case CVTSS2SI, VCVTSS2SI, CVTTSS2SI, VCVTTSS2SI -> true;
                default -> false;
            };
            truncating = switch (insn.mnemonic()) {
                case CVTTSS2SI, VCVTTSS2SI, CVTTSD2SI, VCVTTSD2SI -> true;
                default -> false;
            };
            register = insn.register(0);
            to64 = insn.size(0) == 8;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long source = word(cpu, locate(cpu), 0);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = to64 ? to64(m, source) : to32(m, source) & 0xFFFF_FFFFL;
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.r[register] = result;
        }

        private long to64(Mxcsr m, long source) {
            if (single) {
                return truncating ? Fp32.truncateToInt64(m, (int) source) : Fp32.toInt64(m, (int) source);
            }
            return truncating ? Fp64.truncateToInt64(m, source) : Fp64.toInt64(m, source);
        }

        private int to32(Mxcsr m, long source) {
            if (single) {
                return truncating ? Fp32.truncateToInt32(m, (int) source) : Fp32.toInt32(m, (int) source);
            }
            return truncating ? Fp64.truncateToInt32(m, source) : Fp64.toInt32(m, source);
        }
    }
}
