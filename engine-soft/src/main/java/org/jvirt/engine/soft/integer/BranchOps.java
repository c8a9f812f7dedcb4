package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Near control flow: `JMP`, `CALL`, `RET`, the loops and `JrCXZ`; [ConditionalJumps] has `Jcc`.
///
/// The target is checked first, then the stack is touched, then registers change.
final class BranchOps {
    private BranchOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case JMP ->
                insn.kind(0) == OperandKind.RELATIVE ? new Jump(insn, nextOffset) : new JumpIndirect(insn, nextOffset);
            case CALL -> call(insn, nextOffset, context);
            case RET ->
                context.long64() && insn.operandSize() == 8
                        ? new Return64(insn, nextOffset)
                        : new Return(insn, nextOffset);
            case LOOP, LOOPE, LOOPNE, JRCXZ -> new Loop(insn, nextOffset);
            default -> ConditionalJumps.of(insn, nextOffset);
        };
    }

    private static Op call(Instruction insn, int nextOffset, OpContext context) {
        boolean relative = insn.kind(0) == OperandKind.RELATIVE;
        if (context.long64() && insn.operandSize() == 8) {
            return relative ? new Call64(insn, nextOffset) : new CallIndirect64(insn, nextOffset);
        }
        return new Call(insn, nextOffset);
    }

    private static final class Jump extends Op {
        private final long targetOffset;
        private final int size;

        Jump(Instruction insn, int nextOffset) {
            super(nextOffset);
            targetOffset = nextOffset + insn.immediate();
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.branchNear(cpu.blockRip + targetOffset, size);
        }
    }

    private static final class JumpIndirect extends Op {
        private final Operand target;
        private final int size;

        JumpIndirect(Instruction insn, int nextOffset) {
            super(nextOffset);
            target = Operand.of(insn, 0, nextOffset);
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.branchNear(target.read(cpu), size);
        }
    }

    private static final class Call64 extends Op {
        private final long targetOffset;

        Call64(Instruction insn, int nextOffset) {
            super(nextOffset);
            targetOffset = nextOffset + insn.immediate();
        }

        @Override
        public void execute(Cpu cpu) {
            long start = cpu.blockRip;
            cpu.branchNear(start + targetOffset, 8);
            cpu.push64(start + nextOffset);
        }
    }

    private static final class CallIndirect64 extends Op {
        private final Operand target;

        CallIndirect64(Instruction insn, int nextOffset) {
            super(nextOffset);
            target = Operand.of(insn, 0, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.branchNear(target.read(cpu), 8);
            cpu.push64(cpu.blockRip + nextOffset);
        }
    }

    /// Relative or indirect, on a stack of any width.
    private static final class Call extends Op {
        private final @Nullable Operand target;
        private final long targetOffset;
        private final int size;

        Call(Instruction insn, int nextOffset) {
            super(nextOffset);
            target = insn.kind(0) == OperandKind.RELATIVE ? null : Operand.of(insn, 0, nextOffset);
            targetOffset = nextOffset + insn.immediate();
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.branchNear(target != null ? target.read(cpu) : cpu.blockRip + targetOffset, size);
            cpu.push(cpu.blockRip + nextOffset, size);
        }
    }

    private static final class Return64 extends Op {
        private final long drop;

        Return64(Instruction insn, int nextOffset) {
            super(nextOffset);
            drop = 8 + insn.immediate();
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long pointer = r[Cpu.RSP];
            cpu.branchNear(cpu.mmu.load64(cpu.stackLinear(pointer, 8, false)), 8);
            r[Cpu.RSP] = pointer + drop;
        }
    }

    private static final class Return extends Op {
        private final long drop;
        private final int size;

        Return(Instruction insn, int nextOffset) {
            super(nextOffset);
            size = insn.operandSize();
            drop = size + insn.immediate();
        }

        @Override
        public void execute(Cpu cpu) {
            long pointer = cpu.sp();
            cpu.branchNear(cpu.mmu.load(cpu.stackLinear(pointer, size, false), size), size);
            cpu.setSp(pointer + drop);
        }
    }

    /// `LOOPcc` and `JrCXZ`; the counter has the width of an address.
    private static final class Loop extends Op {
        private final Mnemonic mnemonic;
        private final long targetOffset;
        private final int size;
        private final int counterSize;

        Loop(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
            targetOffset = nextOffset + insn.immediate();
            size = insn.operandSize();
            counterSize = insn.addressSize();
        }

        @Override
        public void execute(Cpu cpu) {
            boolean counts = mnemonic != Mnemonic.JRCXZ;
            long count = Rotates.zeroExtend(counts ? cpu.r[Cpu.RCX] - 1 : cpu.r[Cpu.RCX], 8 * counterSize);
            boolean taken = switch (mnemonic) {
                case LOOP -> count != 0;
                case LOOPE -> count != 0 && cpu.flags.zf();
                case LOOPNE -> count != 0 && !cpu.flags.zf();
                default -> count == 0;
            };
            if (taken) {
                cpu.branchNear(cpu.blockRip + targetOffset, size);
            }
            if (counts) {
                cpu.r[Cpu.RCX] = counterSize == 2 ? cpu.r[Cpu.RCX] & ~0xFFFFL | count : count;
            }
        }
    }
}
