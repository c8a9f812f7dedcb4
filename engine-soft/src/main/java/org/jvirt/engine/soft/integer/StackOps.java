package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `PUSH`, `POP`, `PUSHA`, `POPA`, `ENTER` and `LEAVE`, without the segment registers.
final class StackOps {
    private StackOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case PUSH -> push(insn, nextOffset, context);
            case POP -> pop(insn, nextOffset, context);
            case PUSHA -> new PushAll(insn, nextOffset);
            case POPA -> new PopAll(insn, nextOffset);
            case ENTER -> new Enter(insn, nextOffset);
            case LEAVE -> new Leave(insn, nextOffset);
            default -> null;
        };
    }

    private static @Nullable Op push(Instruction insn, int nextOffset, OpContext context) {
        if (insn.kind(0) == OperandKind.SEGMENT) {
            return null;
        }
        if (context.long64() && insn.operandSize() == 8) {
            return switch (insn.kind(0)) {
                case GPR -> new PushRegister64(insn, nextOffset);
                case IMMEDIATE -> new PushImmediate64(insn, nextOffset);
                default -> new PushMemory64(insn, nextOffset);
            };
        }
        return new Push(insn, nextOffset);
    }

    private static @Nullable Op pop(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.kind(0)) {
            case SEGMENT -> null;
            case GPR ->
                context.long64() && insn.operandSize() == 8
                        ? new PopRegister64(insn, nextOffset)
                        : new PopRegister(insn, nextOffset);
            default -> new PopMemory(insn, nextOffset);
        };
    }

    private static final class PushRegister64 extends Op {
        private final int src;

        PushRegister64(Instruction insn, int nextOffset) {
            super(nextOffset);
            src = insn.register(0);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.push64(cpu.r[src]);
        }
    }

    private static final class PushImmediate64 extends Op {
        private final long imm;

        PushImmediate64(Instruction insn, int nextOffset) {
            super(nextOffset);
            imm = insn.immediate();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.push64(imm);
        }
    }

    private static final class PushMemory64 extends Op {
        private final Address address;

        PushMemory64(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.push64(cpu.mmu.load64(address.linear(cpu, 8)));
        }
    }

    private static final class PopRegister64 extends Op {
        private final int dst;

        PopRegister64(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.pop64();
        }
    }

    private static final class Push extends Op {
        private final Operand src;
        private final int size;

        Push(Instruction insn, int nextOffset) {
            super(nextOffset);
            src = Operand.of(insn, 0, nextOffset);
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.push(src.read(cpu), size);
        }
    }

    private static final class PopRegister extends Op {
        private final Operand dst;

        PopRegister(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            dst.store(cpu, 0, cpu.pop(dst.size));
        }
    }

    /// An address on rSP is taken after the pop.
    private static final class PopMemory extends Op {
        private final Address address;
        private final boolean stackRelative;
        private final int size;

        PopMemory(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
            stackRelative = insn.base() == Cpu.RSP;
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            long before = cpu.r[Cpu.RSP];
            long value = cpu.mmu.load(cpu.stackLinear(before, size, false), size);
            cpu.setSp(before + size);
            long after = cpu.r[Cpu.RSP];
            cpu.r[Cpu.RSP] = before;
            long distance = stackRelative ? after - before : 0;
            cpu.mmu.store(address.linearAt(cpu, distance, size, true), size, value);
            cpu.r[Cpu.RSP] = after;
        }
    }

    private static final class PushAll extends Op {
        private final int size;

        PushAll(Instruction insn, int nextOffset) {
            super(nextOffset);
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            long top = cpu.sp();
            for (int i = 0; i < 8; i++) {
                cpu.mmu.checkWrite(cpu.stackLinear(top - (i + 1L) * size, size, true), size);
            }
            for (int i = 0; i < 8; i++) {
                cpu.mmu.store(cpu.stackLinear(top - (i + 1L) * size, size, true), size, cpu.r[i]);
            }
            cpu.setSp(top - 8L * size);
        }
    }

    private static final class PopAll extends Op {
        private final int size;

        PopAll(Instruction insn, int nextOffset) {
            super(nextOffset);
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            long top = cpu.sp();
            for (int i = 0; i < 8; i++) {
                cpu.mmu.checkRead(cpu.stackLinear(top + (long) i * size, size, false), size);
            }
            long[] r = cpu.r;
            for (int i = 0; i < 8; i++) {
                int register = 7 - i;
                if (register != Cpu.RSP) {
                    long value = cpu.mmu.load(cpu.stackLinear(top + (long) i * size, size, false), size);
                    r[register] = size == 2 ? r[register] & ~0xFFFFL | value : value;
                }
            }
            cpu.setSp(top + 8L * size);
        }
    }

    private static final class Enter extends Op {
        private final int frameBytes;
        private final int level;
        private final int size;

        Enter(Instruction insn, int nextOffset) {
            super(nextOffset);
            frameBytes = (int) insn.immediate();
            level = insn.immediate2() & 31;
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long pointer = cpu.sp() - size;
            store(cpu, pointer, r[Cpu.RBP]);
            long frame = pointer & cpu.stackMask();
            long outer = r[Cpu.RBP];
            for (int i = 1; i < level; i++) {
                outer -= size;
                long link = cpu.mmu.load(cpu.stackLinear(outer, size, false), size);
                pointer -= size;
                store(cpu, pointer, link);
            }
            if (level > 0) {
                pointer -= size;
                store(cpu, pointer, frame);
            }
            pointer -= frameBytes;
            // the processor probes the new top of the stack for writing
            cpu.mmu.checkWrite(cpu.stackLinear(pointer, size, true), size);
            r[Cpu.RBP] = size == 2 ? r[Cpu.RBP] & ~0xFFFFL | frame & 0xFFFF : frame;
            cpu.setSp(pointer);
        }

        private void store(Cpu cpu, long pointer, long value) {
            cpu.mmu.store(cpu.stackLinear(pointer, size, true), size, value);
        }
    }

    private static final class Leave extends Op {
        private final int size;

        Leave(Instruction insn, int nextOffset) {
            super(nextOffset);
            size = insn.operandSize();
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long pointer = r[Cpu.RBP];
            long value = cpu.mmu.load(cpu.stackLinear(pointer, size, false), size);
            cpu.setSp(pointer + size);
            r[Cpu.RBP] = size == 2 ? r[Cpu.RBP] & ~0xFFFFL | value : value;
        }
    }
}
