package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `Jcc`, a class for each condition: these are the most frequent instructions of all.
final class ConditionalJumps {
    private ConditionalJumps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case JO -> new IfO(insn, nextOffset);
            case JNO -> new IfNo(insn, nextOffset);
            case JB -> new IfB(insn, nextOffset);
            case JAE -> new IfAe(insn, nextOffset);
            case JE -> new IfE(insn, nextOffset);
            case JNE -> new IfNe(insn, nextOffset);
            case JBE -> new IfBe(insn, nextOffset);
            case JA -> new IfA(insn, nextOffset);
            case JS -> new IfS(insn, nextOffset);
            case JNS -> new IfNs(insn, nextOffset);
            case JP -> new IfP(insn, nextOffset);
            case JNP -> new IfNp(insn, nextOffset);
            case JL -> new IfL(insn, nextOffset);
            case JGE -> new IfGe(insn, nextOffset);
            case JLE -> new IfLe(insn, nextOffset);
            case JG -> new IfG(insn, nextOffset);
            default -> null;
        };
    }

    private abstract static class Jump extends Op {
        private final long targetOffset;
        private final int operandSize;

        Jump(Instruction insn, int nextOffset) {
            super(nextOffset);
            targetOffset = nextOffset + insn.immediate();
            operandSize = insn.operandSize();
        }

        final void jump(Cpu cpu) {
            cpu.branchNear(cpu.blockRip + targetOffset, operandSize);
        }
    }

    private static final class IfO extends Jump {
        IfO(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.of()) {
                jump(cpu);
            }
        }
    }

    private static final class IfNo extends Jump {
        IfNo(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.of()) {
                jump(cpu);
            }
        }
    }

    private static final class IfB extends Jump {
        IfB(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.cf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfAe extends Jump {
        IfAe(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.cf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfE extends Jump {
        IfE(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.zf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfNe extends Jump {
        IfNe(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.zf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfBe extends Jump {
        IfBe(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.belowOrEqual()) {
                jump(cpu);
            }
        }
    }

    private static final class IfA extends Jump {
        IfA(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.belowOrEqual()) {
                jump(cpu);
            }
        }
    }

    private static final class IfS extends Jump {
        IfS(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.sf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfNs extends Jump {
        IfNs(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.sf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfP extends Jump {
        IfP(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.pf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfNp extends Jump {
        IfNp(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.pf()) {
                jump(cpu);
            }
        }
    }

    private static final class IfL extends Jump {
        IfL(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.less()) {
                jump(cpu);
            }
        }
    }

    private static final class IfGe extends Jump {
        IfGe(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.less()) {
                jump(cpu);
            }
        }
    }

    private static final class IfLe extends Jump {
        IfLe(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (cpu.flags.lessOrEqual()) {
                jump(cpu);
            }
        }
    }

    private static final class IfG extends Jump {
        IfG(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (!cpu.flags.lessOrEqual()) {
                jump(cpu);
            }
        }
    }
}
