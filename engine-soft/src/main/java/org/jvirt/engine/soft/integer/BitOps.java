package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Single bits and bit scans: `BT`, `BTS`, `BTR`, `BTC`, `BSF`, `BSR`, `TZCNT`, `LZCNT`, `POPCNT`.
///
/// Without BMI1 `TZCNT` is `BSF`, and without LZCNT `LZCNT` is `BSR`: their prefix means nothing then.
final class BitOps {
    private BitOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case BT -> bitTest(insn, nextOffset, Change.NONE);
            case BTS -> bitTest(insn, nextOffset, Change.SET);
            case BTR -> bitTest(insn, nextOffset, Change.RESET);
            case BTC -> bitTest(insn, nextOffset, Change.COMPLEMENT);
            case BSF -> new Scan(insn, nextOffset, false);
            case BSR -> new Scan(insn, nextOffset, true);
            case TZCNT ->
                context.has(CpuFeature.BMI1)
                        ? new ZeroCount(insn, nextOffset, false)
                        : new Scan(insn, nextOffset, false);
            case LZCNT ->
                context.has(CpuFeature.ABM) ? new ZeroCount(insn, nextOffset, true) : new Scan(insn, nextOffset, true);
            case POPCNT -> new PopulationCount(insn, nextOffset);
            default -> null;
        };
    }

    private enum Change {
        NONE,
        SET,
        RESET,
        COMPLEMENT;

        long apply(long value, long bit) {
            return switch (this) {
                case NONE -> value;
                case SET -> value | bit;
                case RESET -> value & ~bit;
                case COMPLEMENT -> value ^ bit;
            };
        }
    }

    private static Op bitTest(Instruction insn, int nextOffset, Change change) {
        if (insn.kind(0) == OperandKind.MEMORY) {
            return new MemoryBit(insn, nextOffset, change);
        }
        return change == Change.NONE
                ? new RegisterBitTest(insn, nextOffset)
                : new RegisterBit(insn, nextOffset, change);
    }

    /// `BT` of a register by a register or an immediate.
    private static final class RegisterBitTest extends Op {
        private final int src;
        private final Operand index;
        private final int mask;

        RegisterBitTest(Instruction insn, int nextOffset) {
            super(nextOffset);
            src = insn.register(0);
            index = Operand.of(insn, 1, nextOffset);
            mask = 8 * insn.size(0) - 1;
        }

        @Override
        public void execute(Cpu cpu) {
            int n = (int) index.load(cpu, 0) & mask;
            cpu.flags.setCf((cpu.r[src] >>> n & 1) != 0);
        }
    }

    private static final class RegisterBit extends Op {
        private final Change change;
        private final Operand dst;
        private final Operand index;

        RegisterBit(Instruction insn, int nextOffset, Change change) {
            super(nextOffset);
            this.change = change;
            dst = Operand.of(insn, 0, nextOffset);
            index = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int n = (int) index.load(cpu, 0) & (8 * dst.size - 1);
            long value = dst.load(cpu, 0);
            cpu.flags.setCf((value >>> n & 1) != 0);
            dst.store(cpu, 0, change.apply(value, 1L << n));
        }
    }

    /// A bit in memory. A register's index is signed and reaches beyond the operand: the one accessed is the
    /// aligned neighbour (counted from the operand) that has the bit.
    private static final class MemoryBit extends Op {
        private final Change change;
        private final Address address;
        private final Operand index;
        private final boolean far;
        private final int size;
        private final boolean locked;

        MemoryBit(Instruction insn, int nextOffset, Change change) {
            super(nextOffset);
            this.change = change;
            address = Address.of(insn, nextOffset);
            index = Operand.of(insn, 1, nextOffset);
            far = insn.kind(1) == OperandKind.GPR;
            size = insn.size(0);
            locked = insn.lock();
        }

        @Override
        public void execute(Cpu cpu) {
            int bits = 8 * size;
            long n = Rotates.signExtend(index.load(cpu, 0), bits);
            long distance = far ? (n >> Integer.numberOfTrailingZeros(bits)) * size : 0;
            long bit = 1L << (n & bits - 1);
            boolean write = change != Change.NONE;
            long la = address.linearAt(cpu, distance, size, write);
            if (!write) {
                cpu.flags.setCf((cpu.mmu.load(la, size) & bit) != 0);
                return;
            }
            cpu.mmu.checkWrite(la, size);
            long old = cpu.mmu.load(la, size);
            if (locked) {
                long seen = cpu.mmu.replace(la, size, old, change.apply(old, bit));
                while (seen != old) {
                    old = seen;
                    seen = cpu.mmu.replace(la, size, old, change.apply(old, bit));
                }
            } else {
                cpu.mmu.store(la, size, change.apply(old, bit));
            }
            cpu.flags.setCf((old & bit) != 0);
        }
    }

    /// `BSF` and `BSR`: without a set bit, ZF is set and the destination stays. Of the other flags, which are
    /// undefined, PF follows the index and the rest is clear, as on AMD's processors.
    private static final class Scan extends Op {
        private final Operand dst;
        private final Operand src;
        private final boolean reverse;

        Scan(Instruction insn, int nextOffset, boolean reverse) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            this.reverse = reverse;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            if (value == 0) {
                cpu.flags.unpack(Flags.ZF | Flags.PF);
                return;
            }
            int index = reverse ? 63 - Long.numberOfLeadingZeros(value) : Long.numberOfTrailingZeros(value);
            cpu.flags.unpack((Integer.bitCount(index) & 1) == 0 ? Flags.PF : 0);
            dst.store(cpu, 0, index);
        }
    }

    /// `TZCNT` and `LZCNT`: CF for a source of zero, ZF for a result of zero. Of the others, which are undefined,
    /// OF stays and the rest is cleared, as on AMD's processors.
    private static final class ZeroCount extends Op {
        private final Operand dst;
        private final Operand src;
        private final boolean leading;

        ZeroCount(Instruction insn, int nextOffset, boolean leading) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            this.leading = leading;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            int bits = 8 * src.size;
            int count = leading
                    ? Long.numberOfLeadingZeros(value) - (64 - bits)
                    : Math.min(Long.numberOfTrailingZeros(value), bits);
            boolean overflow = cpu.flags.of();
            cpu.flags.unpack((value == 0 ? Flags.CF : 0) | (count == 0 ? Flags.ZF : 0) | (overflow ? Flags.OF : 0));
            dst.store(cpu, 0, count);
        }
    }

    /// `POPCNT`: ZF for a source of zero, all other flags clear.
    private static final class PopulationCount extends Op {
        private final Operand dst;
        private final Operand src;

        PopulationCount(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            cpu.flags.unpack(value == 0 ? Flags.ZF : 0);
            dst.store(cpu, 0, Long.bitCount(value));
        }
    }
}
