package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// A general register or memory as an operand.
final class Place {
    private final int register;
    private final int size;
    private final @Nullable Address address;

    private Place(Instruction insn, int nextOffset, int operand) {
        boolean memory = insn.kind(operand) == OperandKind.MEMORY;
        register = insn.register(operand);
        size = insn.size(operand);
        address = memory ? Address.of(insn, nextOffset) : null;
    }

    static Place of(Instruction insn, int nextOffset, int operand) {
        return new Place(insn, nextOffset, operand);
    }

    /// The low 16 bits, whatever the operand's size is.
    int read16(Cpu cpu) {
        return address == null ? (int) cpu.r[register] & 0xFFFF : cpu.mmu.load16(address.linear(cpu, 2));
    }

    /// A 16-bit value: memory takes 16 bits, a register its operand size, zero-extended.
    void write16(Cpu cpu, int value) {
        if (address == null) {
            set(cpu, register, size, value & 0xFFFF);
        } else {
            cpu.mmu.store16(address.linearForWrite(cpu, 2), value);
        }
    }

    /// The whole register, or the low 16 bits in memory: SMSW.
    void writeWide(Cpu cpu, long value) {
        if (address == null) {
            set(cpu, register, size, value);
        } else {
            cpu.mmu.store16(address.linearForWrite(cpu, 2), (int) value);
        }
    }

    /// Sets a general register of `size` bytes: 4 clears the upper half.
    static void set(Cpu cpu, int register, int size, long value) {
        cpu.r[register] = switch (size) {
            case 2 -> cpu.r[register] & ~0xFFFFL | value & 0xFFFF;
            case 4 -> value & 0xFFFF_FFFFL;
            default -> value;
        };
    }
}
