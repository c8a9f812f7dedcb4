package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// `XCHG`, `XADD`, `CMPXCHG`, `CMPXCHG8B`, `CMPXCHG16B`. With memory, `XCHG` is atomic always, the others when
/// locked; the 8- and 16-byte ones are made so always.
final class ExchangeOps {
    private static final long LOW32 = 0xFFFF_FFFFL;

    private ExchangeOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case XCHG -> new Exchange(insn, nextOffset);
            case XADD -> new ExchangeAdd(insn, nextOffset);
            case CMPXCHG -> new CompareExchange(insn, nextOffset);
            case CMPXCHG8B -> new CompareExchange8(insn, nextOffset);
            case CMPXCHG16B -> new CompareExchange16(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Exchange extends Op {
        private final Operand dst;
        private final Operand src;

        Exchange(Instruction insn, int nextOffset) {
            super(nextOffset);
            // either order is the same instruction: memory first
            int memory = insn.kind(1) == OperandKind.MEMORY ? 1 : 0;
            dst = Operand.of(insn, memory, nextOffset);
            src = Operand.of(insn, 1 - memory, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long b = src.load(cpu, 0);
            if (dst.isMemory()) {
                long at = dst.locateForWrite(cpu);
                src.store(cpu, 0, cpu.mmu.getAndSet(at, dst.size, b));
            } else {
                long a = dst.load(cpu, 0);
                dst.store(cpu, 0, b);
                src.store(cpu, 0, a);
            }
        }
    }

    private static final class ExchangeAdd extends Op {
        private final Operand dst;
        private final Operand src;
        private final boolean locked;

        ExchangeAdd(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            locked = insn.lock();
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            long b = src.load(cpu, 0);
            long a = locked ? cpu.mmu.getAndAdd(at, dst.size, b) : dst.load(cpu, at);
            long sum = Alu.add(cpu.flags, a, b, dst.size);
            src.store(cpu, 0, a);
            if (!locked) {
                // after the source: XADD of a register with itself leaves the sum
                dst.store(cpu, at, sum);
            }
        }
    }

    /// Only the register that the comparison selects is written, so only its upper half is cleared by the 32-bit
    /// form. Memory is written in any case.
    private static final class CompareExchange extends Op {
        private final Operand dst;
        private final Operand src;
        private final Operand accumulator;
        private final boolean locked;

        CompareExchange(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
            accumulator = Operand.register(Cpu.RAX, dst.size);
            locked = insn.lock();
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            long expected = accumulator.load(cpu, 0);
            long b = src.load(cpu, 0);
            long found;
            if (locked) {
                found = cpu.mmu.compareAndExchange(at, dst.size, expected, b);
            } else {
                found = dst.load(cpu, at);
                if (found == expected) {
                    dst.store(cpu, at, b);
                } else if (dst.isMemory()) {
                    dst.store(cpu, at, found);
                }
            }
            Alu.sub(cpu.flags, expected, found, dst.size);
            if (found != expected) {
                accumulator.store(cpu, 0, found);
            }
        }
    }

    private static final class CompareExchange8 extends Op {
        private final Address address;

        CompareExchange8(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long la = address.linearForWrite(cpu, 8);
            cpu.mmu.checkWrite(la, 8);
            long expected = r[Cpu.RDX] << 32 | r[Cpu.RAX] & LOW32;
            long found = cpu.mmu.compareAndExchange(la, 8, expected, r[Cpu.RCX] << 32 | r[Cpu.RBX] & LOW32);
            boolean equal = found == expected;
            cpu.flags.setZf(equal);
            if (!equal) {
                r[Cpu.RAX] = found & LOW32;
                r[Cpu.RDX] = found >>> 32;
            }
        }
    }

    private static final class CompareExchange16 extends Op {
        private final Address address;

        CompareExchange16(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long la = address.linearForWrite(cpu, 16);
            if ((la & 15) != 0) {
                throw cpu.gp(0);
            }
            boolean equal = cpu.mmu.compareAndExchange16(la, r[Cpu.RAX], r[Cpu.RDX], r[Cpu.RBX], r[Cpu.RCX]);
            cpu.flags.setZf(equal);
            if (!equal) {
                r[Cpu.RAX] = cpu.mmu.foundLow();
                r[Cpu.RDX] = cpu.mmu.foundHigh();
            }
        }
    }
}
