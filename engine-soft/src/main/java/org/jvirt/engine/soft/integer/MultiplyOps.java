package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `MUL` and `IMUL`. CF and OF say whether the upper half of the product means anything; the other flags, which are
/// undefined, stay.
final class MultiplyOps {
    private MultiplyOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case MUL -> new Wide(insn, nextOffset, false);
            case IMUL ->
                switch (insn.operandCount()) {
                    case 1 -> new Wide(insn, nextOffset, true);
                    default -> truncated(insn, nextOffset);
                };
            default -> null;
        };
    }

    private static Op truncated(Instruction insn, int nextOffset) {
        boolean registers = insn.operandCount() == 2 && insn.kind(1) == OperandKind.GPR;
        return switch (insn.size(0)) {
            case 4 -> registers ? new RegReg32(insn, nextOffset) : new Truncated(insn, nextOffset);
            case 8 -> registers ? new RegReg64(insn, nextOffset) : new Truncated64(insn, nextOffset);
            default -> new Truncated(insn, nextOffset);
        };
    }

    private static final class RegReg32 extends Shape.RegReg {
        RegReg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long product = (long) (int) r[dst] * (int) r[src];
            boolean carry = product != (int) product;
            cpu.flags.setCarryOverflow(carry, carry);
            r[dst] = product & 0xFFFF_FFFFL;
        }
    }

    private static final class RegReg64 extends Shape.RegReg {
        RegReg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long a = r[dst];
            long b = r[src];
            long low = a * b;
            boolean carry = Math.multiplyHigh(a, b) != low >> 63;
            cpu.flags.setCarryOverflow(carry, carry);
            r[dst] = low;
        }
    }

    /// The accumulator times the operand, into the double accumulator.
    private static final class Wide extends Op {
        private final Operand src;
        private final boolean signed;

        Wide(Instruction insn, int nextOffset, boolean signed) {
            super(nextOffset);
            src = Operand.of(insn, 0, nextOffset);
            this.signed = signed;
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long b = src.read(cpu);
            int bits = 8 * src.size;
            if (bits == 64) {
                long a = r[0];
                long low = a * b;
                long high = signed ? Math.multiplyHigh(a, b) : Math.unsignedMultiplyHigh(a, b);
                r[0] = low;
                r[2] = high;
                boolean carry = high != (signed ? low >> 63 : 0);
                cpu.flags.setCarryOverflow(carry, carry);
                return;
            }
            long product = signed
                    ? Rotates.signExtend(r[0], bits) * Rotates.signExtend(b, bits)
                    : Rotates.zeroExtend(r[0], bits) * b;
            switch (bits) {
                case 8 -> r[0] = r[0] & ~0xFFFFL | product & 0xFFFF;
                case 16 -> {
                    r[0] = r[0] & ~0xFFFFL | product & 0xFFFF;
                    r[2] = r[2] & ~0xFFFFL | product >>> 16 & 0xFFFF;
                }
                default -> {
                    r[0] = product & 0xFFFF_FFFFL;
                    r[2] = product >>> 32;
                }
            }
            long low = Rotates.signExtend(product, bits);
            boolean carry = signed ? product != low : product != Rotates.zeroExtend(product, bits);
            cpu.flags.setCarryOverflow(carry, carry);
        }
    }

    /// `IMUL` with two or three operands.
    private static final class Truncated extends Op {
        private final Operand dst;
        private final Operand first;
        private final Operand second;

        Truncated(Instruction insn, int nextOffset) {
            super(nextOffset);
            int last = insn.operandCount() - 1;
            dst = Operand.of(insn, 0, nextOffset);
            first = Operand.of(insn, last - 1, nextOffset);
            second = Operand.of(insn, last, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int bits = 8 * dst.size;
            long a = Rotates.signExtend(first.read(cpu), bits);
            long product = a * Rotates.signExtend(second.read(cpu), bits);
            long low = Rotates.signExtend(product, bits);
            cpu.flags.setCarryOverflow(product != low, product != low);
            dst.store(cpu, 0, low);
        }
    }

    private static final class Truncated64 extends Op {
        private final int dst;
        private final Operand first;
        private final Operand second;

        Truncated64(Instruction insn, int nextOffset) {
            super(nextOffset);
            int last = insn.operandCount() - 1;
            dst = insn.register(0);
            first = Operand.of(insn, last - 1, nextOffset);
            second = Operand.of(insn, last, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long a = first.read(cpu);
            long b = second.read(cpu);
            long low = a * b;
            boolean carry = Math.multiplyHigh(a, b) != low >> 63;
            cpu.flags.setCarryOverflow(carry, carry);
            cpu.r[dst] = low;
        }
    }
}
