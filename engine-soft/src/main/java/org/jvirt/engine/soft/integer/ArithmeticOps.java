package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// Addition, subtraction, logic and comparison: any shape, through [Operand] and [Alu], unless a class for the
/// shape exists ([AddOps], [SubOps], [CmpOps] and so on).
final class ArithmeticOps {
    private ArithmeticOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Op special = switch (insn.mnemonic()) {
            case ADD -> AddOps.of(insn, nextOffset);
            case OR -> OrOps.of(insn, nextOffset);
            case AND -> AndOps.of(insn, nextOffset);
            case SUB -> SubOps.of(insn, nextOffset);
            case XOR -> XorOps.of(insn, nextOffset);
            case CMP -> CmpOps.of(insn, nextOffset);
            case TEST -> TestOps.of(insn, nextOffset);
            case ADC, SBB -> CarryOps.of(insn, nextOffset);
            case INC, DEC, NEG, NOT -> UnaryOps.of(insn, nextOffset);
            default -> null;
        };
        return special != null ? special : general(insn, nextOffset);
    }

    private static @Nullable Op general(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case ADD -> update(insn, nextOffset, Alu.ADD);
            case OR -> update(insn, nextOffset, Alu.OR);
            case ADC -> update(insn, nextOffset, Alu.ADC);
            case SBB -> update(insn, nextOffset, Alu.SBB);
            case AND -> update(insn, nextOffset, Alu.AND);
            case SUB -> update(insn, nextOffset, Alu.SUB);
            case XOR -> update(insn, nextOffset, Alu.XOR);
            case NOT -> update(insn, nextOffset, Alu.NOT);
            case NEG -> update(insn, nextOffset, Alu.NEG);
            case INC -> update(insn, nextOffset, Alu.INC);
            case DEC -> update(insn, nextOffset, Alu.DEC);
            case CMP -> new Compare(insn, nextOffset);
            case TEST -> new Test(insn, nextOffset);
            default -> null;
        };
    }

    private static Op update(Instruction insn, int nextOffset, Alu alu) {
        if (insn.lock()) {
            return new LockedUpdate(insn, nextOffset, alu);
        }
        return insn.operandCount() == 1 ? new UpdateOne(insn, nextOffset, alu) : new Update(insn, nextOffset, alu);
    }

    /// Destination and source.
    private static final class Update extends Op {
        private final Alu alu;
        private final Operand dst;
        private final Operand src;

        Update(Instruction insn, int nextOffset, Alu alu) {
            super(nextOffset);
            this.alu = alu;
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            long b = src.read(cpu);
            dst.store(cpu, at, alu.apply(cpu.flags, dst.load(cpu, at), b, dst.size));
        }
    }

    /// Destination alone.
    private static final class UpdateOne extends Op {
        private final Alu alu;
        private final Operand dst;

        UpdateOne(Instruction insn, int nextOffset, Alu alu) {
            super(nextOffset);
            this.alu = alu;
            dst = Operand.of(insn, 0, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            dst.store(cpu, at, alu.apply(cpu.flags, dst.load(cpu, at), 0, dst.size));
        }
    }

    /// With a LOCK prefix: the destination is memory, and is changed at once or not at all.
    private static final class LockedUpdate extends Op {
        private final Alu alu;
        private final Operand dst;
        private final @Nullable Operand src;

        LockedUpdate(Instruction insn, int nextOffset, Alu alu) {
            super(nextOffset);
            this.alu = alu;
            dst = Operand.of(insn, 0, nextOffset);
            src = insn.operandCount() > 1 ? Operand.of(insn, 1, nextOffset) : null;
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            long b = src != null ? src.read(cpu) : 0;
            Flags flags = cpu.flags;
            boolean carryIn = flags.cf();
            long old = dst.load(cpu, at);
            while (true) {
                long seen = cpu.mmu.replace(at, dst.size, old, alu.apply(flags, old, b, dst.size));
                if (seen == old) {
                    return;
                }
                // another processor was faster: once more, with the carry that ADC, SBB, INC and DEC began with
                old = seen;
                flags.setCf(carryIn);
            }
        }
    }

    /// `CMP`.
    private static final class Compare extends Op {
        private final Operand first;
        private final Operand second;

        Compare(Instruction insn, int nextOffset) {
            super(nextOffset);
            first = Operand.of(insn, 0, nextOffset);
            second = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long a = first.read(cpu);
            Alu.sub(cpu.flags, a, second.read(cpu), first.size);
        }
    }

    /// `TEST`.
    private static final class Test extends Op {
        private final Operand first;
        private final Operand second;

        Test(Instruction insn, int nextOffset) {
            super(nextOffset);
            first = Operand.of(insn, 0, nextOffset);
            second = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long a = first.read(cpu);
            Alu.logic(cpu.flags, a & second.read(cpu), first.size);
        }
    }
}
