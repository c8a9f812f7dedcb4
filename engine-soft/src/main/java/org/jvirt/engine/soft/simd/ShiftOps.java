package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.simd.PackedShifts.Shift;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// The shifts of all lanes by one count: an immediate, or the low 64 bits of the last operand.
final class ShiftOps {
    private ShiftOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Shift function = function(insn.mnemonic());
        if (function == null) {
            return null;
        }
        return insn.kind(insn.operandCount() - 1) == OperandKind.IMMEDIATE
                ? new ByImmediate(insn, nextOffset, function)
                : new ByOperand(insn, nextOffset, function);
    }

    static @Nullable Shift function(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case PSLLW, VPSLLW -> PackedShifts::psllw;
            case PSLLD, VPSLLD -> PackedShifts::pslld;
            case PSLLQ, VPSLLQ -> PackedShifts::psllq;
            case PSRLW, VPSRLW -> PackedShifts::psrlw;
            case PSRLD, VPSRLD -> PackedShifts::psrld;
            case PSRLQ, VPSRLQ -> PackedShifts::psrlq;
            case PSRAW, VPSRAW -> PackedShifts::psraw;
            case PSRAD, VPSRAD -> PackedShifts::psrad;
            default -> null;
        };
    }

    private static final class ByImmediate extends VectorOp {
        private final Shift function;
        private final int count;

        ByImmediate(Instruction insn, int nextOffset, Shift function) {
            super(insn, nextOffset, insn.vex() ? 1 : 0);
            this.function = function;
            count = PackedShifts.count(imm);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long[] x = cpu.xmm;
            long low = function.apply(x[b], count);
            long high = function.apply(x[b + 1], count);
            if (wide) {
                long[] y = cpu.ymmHigh;
                set(cpu, low, high, function.apply(y[b], count), function.apply(y[b + 1], count));
            } else {
                set(cpu, low, high);
            }
        }
    }

    private static final class ByOperand extends VectorOp {
        private final Shift function;

        ByOperand(Instruction insn, int nextOffset, Shift function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            int count = PackedShifts.count(word(cpu, la, 0));
            word(cpu, la, 1);
            long[] x = cpu.xmm;
            long low = function.apply(x[a], count);
            long high = function.apply(x[a + 1], count);
            if (wide) {
                long[] y = cpu.ymmHigh;
                set(cpu, low, high, function.apply(y[a], count), function.apply(y[a + 1], count));
            } else {
                set(cpu, low, high);
            }
        }
    }
}
