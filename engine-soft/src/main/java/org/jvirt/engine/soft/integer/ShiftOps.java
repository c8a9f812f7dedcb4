package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Shifts and rotates; `SHLD` and `SHRD`.
final class ShiftOps {
    private ShiftOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case SHL -> shift(insn, nextOffset, ShiftKind.SHL);
            case SHR -> shift(insn, nextOffset, ShiftKind.SHR);
            case SAR -> shift(insn, nextOffset, ShiftKind.SAR);
            case ROL -> shift(insn, nextOffset, ShiftKind.ROL);
            case ROR -> shift(insn, nextOffset, ShiftKind.ROR);
            case RCL -> shift(insn, nextOffset, ShiftKind.RCL);
            case RCR -> shift(insn, nextOffset, ShiftKind.RCR);
            case SHLD -> new DoubleShift(insn, nextOffset, true);
            case SHRD -> new DoubleShift(insn, nextOffset, false);
            default -> null;
        };
    }

    private static Op shift(Instruction insn, int nextOffset, ShiftKind kind) {
        if (insn.kind(0) == OperandKind.GPR && insn.size(0) >= 4) {
            boolean wide = insn.size(0) == 8;
            if (insn.kind(1) != OperandKind.IMMEDIATE) {
                switch (kind) {
                    case SHL -> {
                        return wide ? new ShlByCl64(insn, nextOffset) : new ShlByCl32(insn, nextOffset);
                    }
                    case SHR -> {
                        return wide ? new ShrByCl64(insn, nextOffset) : new ShrByCl32(insn, nextOffset);
                    }
                    case SAR -> {
                        return wide ? new SarByCl64(insn, nextOffset) : new SarByCl32(insn, nextOffset);
                    }
                    case ROL, ROR, RCL, RCR -> {
                        // below
                    }
                }
            } else if (Rotates.mask((int) insn.immediate(), 8 * insn.size(0)) != 0) {
                switch (kind) {
                    case SHL -> {
                        return wide ? new Shl64(insn, nextOffset) : new Shl32(insn, nextOffset);
                    }
                    case SHR -> {
                        return wide ? new Shr64(insn, nextOffset) : new Shr32(insn, nextOffset);
                    }
                    case SAR -> {
                        return wide ? new Sar64(insn, nextOffset) : new Sar32(insn, nextOffset);
                    }
                    case ROL -> {
                        return wide ? new Rol64(insn, nextOffset) : new Rol32(insn, nextOffset);
                    }
                    case ROR -> {
                        return wide ? new Ror64(insn, nextOffset) : new Ror32(insn, nextOffset);
                    }
                    case RCL, RCR -> {
                        // below
                    }
                }
            }
        }
        return new General(insn, nextOffset, kind);
    }

    /// A whole register by a count that is known and not zero.
    private abstract static class ByImmediate extends Op {
        final int dst;
        final int count;

        ByImmediate(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            count = Rotates.mask((int) insn.immediate(), 8 * insn.size(0));
        }
    }

    /// A whole register by CL.
    private abstract static class ByCl extends Op {
        final int dst;

        ByCl(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
        }
    }

    private static final class Shl32 extends ByImmediate {
        Shl32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.shl32((int) r[dst], count) & 0xFFFF_FFFFL;
        }
    }

    private static final class Shl64 extends ByImmediate {
        Shl64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.shl64(r[dst], count);
        }
    }

    private static final class ShlByCl32 extends ByCl {
        ShlByCl32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 31;
            if (count != 0) {
                r[dst] = cpu.flags.shl32((int) r[dst], count) & 0xFFFF_FFFFL;
            } else {
                r[dst] &= 0xFFFF_FFFFL;
            }
        }
    }

    private static final class ShlByCl64 extends ByCl {
        ShlByCl64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 63;
            if (count != 0) {
                r[dst] = cpu.flags.shl64(r[dst], count);
            }
        }
    }

    private static final class Shr32 extends ByImmediate {
        Shr32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.shr32((int) r[dst], count) & 0xFFFF_FFFFL;
        }
    }

    private static final class Shr64 extends ByImmediate {
        Shr64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.shr64(r[dst], count);
        }
    }

    private static final class ShrByCl32 extends ByCl {
        ShrByCl32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 31;
            if (count != 0) {
                r[dst] = cpu.flags.shr32((int) r[dst], count) & 0xFFFF_FFFFL;
            } else {
                r[dst] &= 0xFFFF_FFFFL;
            }
        }
    }

    private static final class ShrByCl64 extends ByCl {
        ShrByCl64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 63;
            if (count != 0) {
                r[dst] = cpu.flags.shr64(r[dst], count);
            }
        }
    }

    private static final class Sar32 extends ByImmediate {
        Sar32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sar32((int) r[dst], count) & 0xFFFF_FFFFL;
        }
    }

    private static final class Sar64 extends ByImmediate {
        Sar64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.sar64(r[dst], count);
        }
    }

    private static final class SarByCl32 extends ByCl {
        SarByCl32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 31;
            if (count != 0) {
                r[dst] = cpu.flags.sar32((int) r[dst], count) & 0xFFFF_FFFFL;
            } else {
                r[dst] &= 0xFFFF_FFFFL;
            }
        }
    }

    private static final class SarByCl64 extends ByCl {
        SarByCl64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int count = (int) r[Cpu.RCX] & 63;
            if (count != 0) {
                r[dst] = cpu.flags.sar64(r[dst], count);
            }
        }
    }

    private static final class Rol32 extends ByImmediate {
        Rol32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int result = Integer.rotateLeft((int) r[dst], count);
            r[dst] = result & 0xFFFF_FFFFL;
            boolean carry = (result & 1) != 0;
            cpu.flags.setCarryOverflow(carry, carry != result < 0);
        }
    }

    private static final class Rol64 extends ByImmediate {
        Rol64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long result = Long.rotateLeft(r[dst], count);
            r[dst] = result;
            boolean carry = (result & 1) != 0;
            cpu.flags.setCarryOverflow(carry, carry != result < 0);
        }
    }

    private static final class Ror32 extends ByImmediate {
        Ror32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            int result = Integer.rotateRight((int) r[dst], count);
            r[dst] = result & 0xFFFF_FFFFL;
            boolean carry = result < 0;
            cpu.flags.setCarryOverflow(carry, carry != result << 1 < 0);
        }
    }

    private static final class Ror64 extends ByImmediate {
        Ror64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long result = Long.rotateRight(r[dst], count);
            r[dst] = result;
            boolean carry = result < 0;
            cpu.flags.setCarryOverflow(carry, carry != result << 1 < 0);
        }
    }

    /// Any value by any count.
    private static final class General extends Op {
        private final ShiftKind kind;
        private final Operand dst;
        private final Operand count;

        General(Instruction insn, int nextOffset, ShiftKind kind) {
            super(nextOffset);
            this.kind = kind;
            dst = Operand.of(insn, 0, nextOffset);
            count = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            int n = (int) count.read(cpu);
            dst.store(cpu, at, kind.apply(cpu.flags, dst.load(cpu, at), n, dst.size));
        }
    }

    /// `SHLD`, `SHRD`.
    private static final class DoubleShift extends Op {
        private final boolean left;
        private final Operand dst;
        private final Operand fill;
        private final Operand count;

        DoubleShift(Instruction insn, int nextOffset, boolean left) {
            super(nextOffset);
            this.left = left;
            dst = Operand.of(insn, 0, nextOffset);
            fill = Operand.of(insn, 1, nextOffset);
            count = Operand.of(insn, 2, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            long value = dst.load(cpu, at);
            long in = fill.read(cpu);
            int n = (int) count.read(cpu);
            int bits = 8 * dst.size;
            dst.store(
                    cpu,
                    at,
                    left ? Rotates.shld(cpu.flags, value, in, n, bits) : Rotates.shrd(cpu.flags, value, in, n, bits));
        }
    }
}
