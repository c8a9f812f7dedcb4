package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Mmu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `INC`, `DEC`, `NEG` and `NOT` on registers and memory of 8, 32 and 64 bits; [ArithmeticOps] has the rest.
final class UnaryOps {
    private UnaryOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        if (insn.lock() || insn.kind(0) == OperandKind.GPR8_HIGH) {
            return null;
        }
        boolean memory = insn.kind(0) == OperandKind.MEMORY;
        return switch (insn.mnemonic()) {
            case INC ->
                switch (insn.size(0)) {
                    case 1 -> memory ? new IncMemory8(insn, nextOffset) : new Inc8(insn, nextOffset);
                    case 4 -> memory ? new IncMemory32(insn, nextOffset) : new Inc32(insn, nextOffset);
                    case 8 -> memory ? new IncMemory64(insn, nextOffset) : new Inc64(insn, nextOffset);
                    default -> null;
                };
            case DEC ->
                switch (insn.size(0)) {
                    case 1 -> memory ? new DecMemory8(insn, nextOffset) : new Dec8(insn, nextOffset);
                    case 4 -> memory ? new DecMemory32(insn, nextOffset) : new Dec32(insn, nextOffset);
                    case 8 -> memory ? new DecMemory64(insn, nextOffset) : new Dec64(insn, nextOffset);
                    default -> null;
                };
            case NEG ->
                switch (insn.size(0)) {
                    case 1 -> memory ? new NegMemory8(insn, nextOffset) : new Neg8(insn, nextOffset);
                    case 4 -> memory ? new NegMemory32(insn, nextOffset) : new Neg32(insn, nextOffset);
                    case 8 -> memory ? new NegMemory64(insn, nextOffset) : new Neg64(insn, nextOffset);
                    default -> null;
                };
            case NOT ->
                switch (insn.size(0)) {
                    case 1 -> memory ? new NotMemory8(insn, nextOffset) : new Not8(insn, nextOffset);
                    case 4 -> memory ? new NotMemory32(insn, nextOffset) : new Not32(insn, nextOffset);
                    case 8 -> memory ? new NotMemory64(insn, nextOffset) : new Not64(insn, nextOffset);
                    default -> null;
                };
            default -> null;
        };
    }

    private abstract static class OnRegister extends Op {
        final int dst;

        OnRegister(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
        }
    }

    private abstract static class OnMemory extends Op {
        final Address address;

        OnMemory(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
        }
    }

    private static final class Inc8 extends OnRegister {
        Inc8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | cpu.flags.inc8((int) r[dst]);
        }
    }

    private static final class IncMemory8 extends OnMemory {
        IncMemory8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, cpu.flags.inc8(mmu.load8(la)));
        }
    }

    private static final class Inc32 extends OnRegister {
        Inc32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.inc32((int) r[dst]) & 0xFFFF_FFFFL;
        }
    }

    private static final class IncMemory32 extends OnMemory {
        IncMemory32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, cpu.flags.inc32(mmu.load32(la)));
        }
    }

    private static final class Inc64 extends OnRegister {
        Inc64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.inc64(r[dst]);
        }
    }

    private static final class IncMemory64 extends OnMemory {
        IncMemory64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, cpu.flags.inc64(mmu.load64(la)));
        }
    }

    private static final class Dec8 extends OnRegister {
        Dec8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | cpu.flags.dec8((int) r[dst]);
        }
    }

    private static final class DecMemory8 extends OnMemory {
        DecMemory8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, cpu.flags.dec8(mmu.load8(la)));
        }
    }

    private static final class Dec32 extends OnRegister {
        Dec32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.dec32((int) r[dst]) & 0xFFFF_FFFFL;
        }
    }

    private static final class DecMemory32 extends OnMemory {
        DecMemory32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, cpu.flags.dec32(mmu.load32(la)));
        }
    }

    private static final class Dec64 extends OnRegister {
        Dec64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.dec64(r[dst]);
        }
    }

    private static final class DecMemory64 extends OnMemory {
        DecMemory64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, cpu.flags.dec64(mmu.load64(la)));
        }
    }

    private static final class Neg8 extends OnRegister {
        Neg8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = r[dst] & ~0xFFL | cpu.flags.neg8((int) r[dst]);
        }
    }

    private static final class NegMemory8 extends OnMemory {
        NegMemory8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, cpu.flags.neg8(mmu.load8(la)));
        }
    }

    private static final class Neg32 extends OnRegister {
        Neg32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.neg32((int) r[dst]) & 0xFFFF_FFFFL;
        }
    }

    private static final class NegMemory32 extends OnMemory {
        NegMemory32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, cpu.flags.neg32(mmu.load32(la)));
        }
    }

    private static final class Neg64 extends OnRegister {
        Neg64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = cpu.flags.neg64(r[dst]);
        }
    }

    private static final class NegMemory64 extends OnMemory {
        NegMemory64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, cpu.flags.neg64(mmu.load64(la)));
        }
    }

    private static final class Not8 extends OnRegister {
        Not8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] ^= 0xFF;
        }
    }

    private static final class NotMemory8 extends OnMemory {
        NotMemory8(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 1);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 1);
            mmu.store8(la, ~mmu.load8(la));
        }
    }

    private static final class Not32 extends OnRegister {
        Not32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = ~r[dst] & 0xFFFF_FFFFL;
        }
    }

    private static final class NotMemory32 extends OnMemory {
        NotMemory32(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 4);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 4);
            mmu.store32(la, ~mmu.load32(la));
        }
    }

    private static final class Not64 extends OnRegister {
        Not64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            r[dst] = ~r[dst];
        }
    }

    private static final class NotMemory64 extends OnMemory {
        NotMemory64(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long la = address.linearForWrite(cpu, 8);
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, 8);
            mmu.store64(la, ~mmu.load64(la));
        }
    }
}
