package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `DIV` and `IDIV`: `#DE` when the quotient does not fit. The flags, which are undefined, stay.
final class DivideOps {
    private DivideOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case DIV -> insn.size(0) == 8 ? new Unsigned64(insn, nextOffset) : new Unsigned(insn, nextOffset);
            case IDIV -> insn.size(0) == 8 ? new Signed64(insn, nextOffset) : new Signed(insn, nextOffset);
            default -> null;
        };
    }

    private abstract static class Divide extends Op {
        final Operand src;

        Divide(Instruction insn, int nextOffset) {
            super(nextOffset);
            src = Operand.of(insn, 0, nextOffset);
        }

        /// The double accumulator of up to 64 bits.
        final long dividend(long[] r) {
            return switch (src.size) {
                case 1 -> r[0] & 0xFFFF;
                case 2 -> (r[2] & 0xFFFF) << 16 | r[0] & 0xFFFF;
                default -> r[2] << 32 | r[0] & 0xFFFF_FFFFL;
            };
        }

        final void put(long[] r, long quotient, long remainder) {
            switch (src.size) {
                case 1 -> r[0] = r[0] & ~0xFFFFL | (remainder & 0xFF) << 8 | quotient & 0xFF;
                case 2 -> {
                    r[0] = r[0] & ~0xFFFFL | quotient & 0xFFFF;
                    r[2] = r[2] & ~0xFFFFL | remainder & 0xFFFF;
                }
                default -> {
                    r[0] = quotient & 0xFFFF_FFFFL;
                    r[2] = remainder & 0xFFFF_FFFFL;
                }
            }
        }
    }

    private static final class Unsigned extends Divide {
        Unsigned(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long divisor = src.read(cpu);
            long dividend = dividend(cpu.r);
            if (divisor == 0) {
                throw cpu.de();
            }
            long quotient = Long.divideUnsigned(dividend, divisor);
            if (quotient != Rotates.zeroExtend(quotient, 8 * src.size)) {
                throw cpu.de();
            }
            put(cpu.r, quotient, dividend - quotient * divisor);
        }
    }

    private static final class Signed extends Divide {
        Signed(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int bits = 8 * src.size;
            long divisor = Rotates.signExtend(src.read(cpu), bits);
            long dividend = Rotates.signExtend(dividend(cpu.r), 2 * bits);
            // Java wraps the one quotient that overflows 64 bits to a negative one, which does not fit either
            if (divisor == 0) {
                throw cpu.de();
            }
            long quotient = dividend / divisor;
            if (quotient != Rotates.signExtend(quotient, bits)) {
                throw cpu.de();
            }
            put(cpu.r, quotient, dividend - quotient * divisor);
        }
    }

    private static final class Unsigned64 extends Divide {
        Unsigned64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long divisor = src.read(cpu);
            long high = r[2];
            long low = r[0];
            if (WideDivision.overflows(high, divisor)) {
                throw cpu.de();
            }
            long quotient = WideDivision.quotient(high, low, divisor);
            r[0] = quotient;
            r[2] = low - quotient * divisor;
        }
    }

    private static final class Signed64 extends Divide {
        Signed64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long divisor = src.read(cpu);
            long high = r[2];
            long low = r[0];
            if (high == low >> 63 && divisor != 0 && divisor != -1) {
                r[0] = low / divisor;
                r[2] = low % divisor;
                return;
            }
            if (WideDivision.signedOverflows(high, low, divisor)) {
                throw cpu.de();
            }
            long quotient = WideDivision.signedQuotient(high, low, divisor);
            r[0] = quotient;
            r[2] = low - quotient * divisor;
        }
    }
}
