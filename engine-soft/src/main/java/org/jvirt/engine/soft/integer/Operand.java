package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.x86.Instruction;

/// An operand of any kind and size, for the operations that have no class of their own per shape.
///
/// Use is in two steps, so that an instruction can find all its faults before it changes anything: first
/// [#locate] or [#locateForWrite], which give the linear address of a memory operand and 0 for others, then
/// [#load] and [#store] with it. After `locateForWrite` neither of them faults. Loaded values are zero-extended;
/// stored ones may carry anything above their width. A 32-bit store to a register clears its upper half.
abstract class Operand {
    /// Bytes: 1, 2, 4 or 8.
    final int size;

    private Operand(int size) {
        this.size = size;
    }

    /// Operand `i` of the instruction.
    static Operand of(Instruction insn, int i, int nextOffset) {
        int size = insn.size(i);
        return switch (insn.kind(i)) {
            case GPR -> register(insn.register(i), size);
            case GPR8_HIGH -> new HighByte(insn.register(i));
            case IMMEDIATE -> new Immediate(insn.immediate(), size);
            case MEMORY -> memory(Address.of(insn, nextOffset), size);
            default -> throw new IllegalStateException("No integer operand: " + insn);
        };
    }

    /// A general register or its low part.
    static Operand register(int number, int size) {
        return switch (size) {
            case 1 -> new Register8(number);
            case 2 -> new Register16(number);
            case 4 -> new Register32(number);
            default -> new Register64(number);
        };
    }

    static Operand memory(Address address, int size) {
        return switch (size) {
            case 1 -> new Memory8(address);
            case 2 -> new Memory16(address);
            case 4 -> new Memory32(address);
            default -> new Memory64(address);
        };
    }

    boolean isMemory() {
        return false;
    }

    /// Finds the operand for reading.
    long locate(Cpu cpu) {
        return 0;
    }

    /// Finds the operand for writing, or for reading and then writing, with all faults that a write would have.
    long locateForWrite(Cpu cpu) {
        return 0;
    }

    abstract long load(Cpu cpu, long at);

    abstract void store(Cpu cpu, long at, long value);

    /// Locates and loads in one step.
    final long read(Cpu cpu) {
        return load(cpu, locate(cpu));
    }

    private static final class Register8 extends Operand {
        private final int number;

        Register8(int number) {
            super(1);
            this.number = number;
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.r[number] & 0xFF;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.r[number] = cpu.r[number] & ~0xFFL | value & 0xFF;
        }
    }

    private static final class HighByte extends Operand {
        private final int number;

        HighByte(int number) {
            super(1);
            this.number = number;
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.r[number] >>> 8 & 0xFF;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.r[number] = cpu.r[number] & ~0xFF00L | (value & 0xFF) << 8;
        }
    }

    private static final class Register16 extends Operand {
        private final int number;

        Register16(int number) {
            super(2);
            this.number = number;
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.r[number] & 0xFFFF;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.r[number] = cpu.r[number] & ~0xFFFFL | value & 0xFFFF;
        }
    }

    private static final class Register32 extends Operand {
        private final int number;

        Register32(int number) {
            super(4);
            this.number = number;
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.r[number] & 0xFFFF_FFFFL;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.r[number] = value & 0xFFFF_FFFFL;
        }
    }

    private static final class Register64 extends Operand {
        private final int number;

        Register64(int number) {
            super(8);
            this.number = number;
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.r[number];
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.r[number] = value;
        }
    }

    private static final class Immediate extends Operand {
        private final long value;

        Immediate(long value, int size) {
            super(size);
            this.value = Rotates.zeroExtend(value, 8 * size);
        }

        @Override
        long load(Cpu cpu, long at) {
            return value;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            throw new IllegalStateException("An immediate is not written");
        }
    }

    private abstract static class Memory extends Operand {
        private final Address address;

        Memory(Address address, int size) {
            super(size);
            this.address = address;
        }

        @Override
        boolean isMemory() {
            return true;
        }

        @Override
        long locate(Cpu cpu) {
            return address.linear(cpu, size);
        }

        @Override
        long locateForWrite(Cpu cpu) {
            long la = address.linearForWrite(cpu, size);
            cpu.mmu.checkWrite(la, size);
            return la;
        }
    }

    private static final class Memory8 extends Memory {
        Memory8(Address address) {
            super(address, 1);
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.mmu.load8(at) & 0xFF;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.mmu.store8(at, (int) value);
        }
    }

    private static final class Memory16 extends Memory {
        Memory16(Address address) {
            super(address, 2);
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.mmu.load16(at) & 0xFFFF;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.mmu.store16(at, (int) value);
        }
    }

    private static final class Memory32 extends Memory {
        Memory32(Address address) {
            super(address, 4);
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.mmu.load32(at) & 0xFFFF_FFFFL;
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.mmu.store32(at, (int) value);
        }
    }

    private static final class Memory64 extends Memory {
        Memory64(Address address) {
            super(address, 8);
        }

        @Override
        long load(Cpu cpu, long at) {
            return cpu.mmu.load64(at);
        }

        @Override
        void store(Cpu cpu, long at, long value) {
            cpu.mmu.store64(at, value);
        }
    }
}
