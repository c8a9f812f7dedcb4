package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// BMI1, BMI2 and ADX, on registers of 32 and 64 bits. Flags that the manual leaves undefined follow the result or
/// are clear.
final class BmiOps {
    private BmiOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case BLSR, BLSMSK, BLSI -> new LowestBit(insn, nextOffset);
            case ANDN, BEXTR, BZHI, PDEP, PEXT, SARX, SHLX, SHRX, RORX -> new ThreeOperands(insn, nextOffset);
            case MULX -> new MultiplyExtended(insn, nextOffset);
            case ADCX, ADOX -> new AddChain(insn, nextOffset);
            default -> null;
        };
    }

    /// `BEXTR`: `length` bits of the value from bit `start` on; both are bytes of the control operand.
    static long extract(long value, long control, int bits) {
        int start = (int) control & 0xFF;
        int length = (int) (control >>> 8) & 0xFF;
        long shifted = start < bits ? value >>> start : 0;
        return length < bits ? shifted & (1L << length) - 1 : shifted;
    }

    /// `BZHI`: the bits of the value below `index`, the low byte of the control operand.
    static long zeroHigh(long value, long control, int bits) {
        int index = (int) control & 0xFF;
        return index < bits ? value & (1L << index) - 1 : value;
    }

    /// `BLSR`, `BLSMSK`, `BLSI`.
    private static final class LowestBit extends Op {
        private final Mnemonic mnemonic;
        private final Operand dst;
        private final Operand src;

        LowestBit(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            long result = switch (mnemonic) {
                case BLSR -> value & value - 1;
                case BLSMSK -> value ^ value - 1;
                default -> value & -value;
            };
            boolean carry = (value == 0) != (mnemonic == Mnemonic.BLSI);
            cpu.flags.note(Rotates.signExtend(result, 8 * dst.size), carry, false);
            dst.store(cpu, 0, result);
        }
    }

    /// A destination and two sources; `SARX`, `SHLX`, `SHRX`, `RORX`, `PDEP` and `PEXT` leave the flags alone.
    private static final class ThreeOperands extends Op {
        private final Mnemonic mnemonic;
        private final Operand dst;
        private final Operand first;
        private final Operand second;

        ThreeOperands(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
            dst = Operand.of(insn, 0, nextOffset);
            first = Operand.of(insn, 1, nextOffset);
            second = Operand.of(insn, 2, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long a = first.read(cpu);
            long b = second.read(cpu);
            int bits = 8 * dst.size;
            int count = Rotates.mask((int) b, bits);
            long result = switch (mnemonic) {
                case ANDN -> noted(cpu.flags, ~a & b, bits, false);
                case BEXTR -> {
                    long field = extract(a, b, bits);
                    cpu.flags.noteShift(Rotates.signExtend(field, bits), false, false);
                    yield field;
                }
                case BZHI -> noted(cpu.flags, zeroHigh(a, b, bits), bits, (b & 0xFF) >= bits);
                case PDEP -> Long.expand(a, b);
                case PEXT -> Long.compress(a, b);
                case SARX -> Rotates.signExtend(a, bits) >> count;
                case SHLX -> a << count;
                case SHRX -> a >>> count;
                default -> count == 0 ? a : a >>> count | a << bits - count;
            };
            dst.store(cpu, 0, result);
        }

        private static long noted(Flags flags, long result, int bits, boolean carry) {
            flags.note(Rotates.signExtend(result, bits), carry, false);
            return result;
        }
    }

    /// `MULX`: rDX times the source; the upper half goes to the first destination, which wins if both are one.
    private static final class MultiplyExtended extends Op {
        private final Operand high;
        private final Operand low;
        private final Operand src;

        MultiplyExtended(Instruction insn, int nextOffset) {
            super(nextOffset);
            high = Operand.of(insn, 0, nextOffset);
            low = Operand.of(insn, 1, nextOffset);
            src = Operand.of(insn, 2, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long b = src.read(cpu);
            long a = cpu.r[2];
            if (src.size == 8) {
                low.store(cpu, 0, a * b);
                high.store(cpu, 0, Math.unsignedMultiplyHigh(a, b));
            } else {
                long product = (a & 0xFFFF_FFFFL) * b;
                low.store(cpu, 0, product);
                high.store(cpu, 0, product >>> 32);
            }
        }
    }

    /// `ADCX` carries through CF alone, `ADOX` through OF alone.
    private static final class AddChain extends Op {
        private final boolean overflowChain;
        private final Operand dst;
        private final Operand src;

        AddChain(Instruction insn, int nextOffset) {
            super(nextOffset);
            overflowChain = insn.mnemonic() == Mnemonic.ADOX;
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            Flags flags = cpu.flags;
            long b = src.read(cpu);
            long a = dst.load(cpu, 0);
            long sum = a + b + ((overflowChain ? flags.of() : flags.cf()) ? 1 : 0);
            boolean carry = dst.size == 8 ? ((a & b | (a | b) & ~sum) < 0) : sum >>> 32 != 0;
            if (overflowChain) {
                flags.setOf(carry);
            } else {
                flags.setCf(carry);
            }
            dst.store(cpu, 0, sum);
        }
    }
}
