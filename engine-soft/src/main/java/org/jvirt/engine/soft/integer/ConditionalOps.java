package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `SETcc` and `CMOVcc`.
final class ConditionalOps {
    private ConditionalOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        int set = setCondition(insn);
        if (set >= 0) {
            return insn.kind(0) == OperandKind.GPR
                    ? new SetRegister(insn, nextOffset, set)
                    : new Set(insn, nextOffset, set);
        }
        int move = moveCondition(insn);
        if (move < 0) {
            return null;
        }
        if (insn.kind(1) == OperandKind.MEMORY) {
            return switch (insn.size(0)) {
                case 4 -> new MoveMemory32(insn, nextOffset, move);
                case 8 -> new MoveMemory64(insn, nextOffset, move);
                default -> new Move16(insn, nextOffset, move);
            };
        }
        return switch (insn.size(0)) {
            case 4 -> new Move32(insn, nextOffset, move);
            case 8 -> new Move64(insn, nextOffset, move);
            default -> new Move16(insn, nextOffset, move);
        };
    }

    private static int setCondition(Instruction insn) {
        return switch (insn.mnemonic()) {
            case SETO -> 0;
            case SETNO -> 1;
            case SETB -> 2;
            case SETAE -> 3;
            case SETE -> 4;
            case SETNE -> 5;
            case SETBE -> 6;
            case SETA -> 7;
            case SETS -> 8;
            case SETNS -> 9;
            case SETP -> 10;
            case SETNP -> 11;
            case SETL -> 12;
            case SETGE -> 13;
            case SETLE -> 14;
            case SETG -> 15;
            default -> -1;
        };
    }

    private static int moveCondition(Instruction insn) {
        return switch (insn.mnemonic()) {
            case CMOVO -> 0;
            case CMOVNO -> 1;
            case CMOVB -> 2;
            case CMOVAE -> 3;
            case CMOVE -> 4;
            case CMOVNE -> 5;
            case CMOVBE -> 6;
            case CMOVA -> 7;
            case CMOVS -> 8;
            case CMOVNS -> 9;
            case CMOVP -> 10;
            case CMOVNP -> 11;
            case CMOVL -> 12;
            case CMOVGE -> 13;
            case CMOVLE -> 14;
            case CMOVG -> 15;
            default -> -1;
        };
    }

    private static final class SetRegister extends Op {
        private final int dst;
        private final int condition;

        SetRegister(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = insn.register(0);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | (cpu.flags.condition(condition) ? 1 : 0);
        }
    }

    private static final class Set extends Op {
        private final Operand dst;
        private final int condition;

        Set(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            dst.store(cpu, at, cpu.flags.condition(condition) ? 1 : 0);
        }
    }

    /// The upper half of the destination is cleared whether it moves or not.
    private static final class Move32 extends Op {
        private final int dst;
        private final int src;
        private final int condition;

        Move32(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = insn.register(0);
            src = insn.register(1);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[cpu.flags.condition(condition) ? src : dst] & 0xFFFF_FFFFL;
        }
    }

    private static final class Move64 extends Op {
        private final int dst;
        private final int src;
        private final int condition;

        Move64(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = insn.register(0);
            src = insn.register(1);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.condition(condition)) {
                long[] r = cpu.r;
                r[dst] = r[src];
            }
        }
    }

    /// Memory is read, and faults, whether it moves or not.
    private static final class MoveMemory32 extends Op {
        private final int dst;
        private final Address address;
        private final int condition;

        MoveMemory32(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load32(address.linear(cpu, 4));
            long[] r = cpu.r;
            r[dst] = (cpu.flags.condition(condition) ? value : r[dst]) & 0xFFFF_FFFFL;
        }
    }

    private static final class MoveMemory64 extends Op {
        private final int dst;
        private final Address address;
        private final int condition;

        MoveMemory64(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = cpu.mmu.load64(address.linear(cpu, 8));
            if (cpu.flags.condition(condition)) {
                cpu.r[dst] = value;
            }
        }
    }

    private static final class Move16 extends Op {
        private final Operand dst;
        private final Operand src;
        private final int condition;

        Move16(Instruction insn, int nextOffset, int condition) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            this.condition = condition;
        }

        @Override
        public void execute(Cpu cpu) {
            long value = src.read(cpu);
            if (cpu.flags.condition(condition)) {
                dst.store(cpu, 0, value);
            }
        }
    }
}
