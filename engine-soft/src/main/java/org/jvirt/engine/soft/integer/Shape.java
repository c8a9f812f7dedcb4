package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// What the two operands of an instruction are and how large, for the shapes that have an operation class of their
/// own. Registers here are whole or their low parts: AH, CH, DH and BH make an instruction [#OTHER].
enum Shape {
    REG_REG8,
    REG_REG16,
    REG_REG32,
    REG_REG64,
    REG_IMM8,
    REG_IMM16,
    REG_IMM32,
    REG_IMM64,
    REG_MEM8,
    REG_MEM16,
    REG_MEM32,
    REG_MEM64,
    MEM_REG8,
    MEM_REG16,
    MEM_REG32,
    MEM_REG64,
    MEM_IMM8,
    MEM_IMM16,
    MEM_IMM32,
    MEM_IMM64,
    OTHER;

    private static final Shape[] VALUES = values();

    static Shape of(Instruction insn) {
        if (insn.lock() || insn.operandCount() != 2 || insn.size(0) != insn.size(1)) {
            return OTHER;
        }
        return VALUES[
                switch (insn.kind(0)) {
                    case GPR ->
                        switch (insn.kind(1)) {
                            case GPR -> REG_REG8.ordinal() + sizeIndex(insn);
                            case IMMEDIATE -> REG_IMM8.ordinal() + sizeIndex(insn);
                            case MEMORY -> REG_MEM8.ordinal() + sizeIndex(insn);
                            default -> OTHER.ordinal();
                        };
                    case MEMORY ->
                        switch (insn.kind(1)) {
                            case GPR -> MEM_REG8.ordinal() + sizeIndex(insn);
                            case IMMEDIATE -> MEM_IMM8.ordinal() + sizeIndex(insn);
                            default -> OTHER.ordinal();
                        };
                    default -> OTHER.ordinal();
                }];
    }

    private static int sizeIndex(Instruction insn) {
        return Integer.numberOfTrailingZeros(insn.size(0));
    }

    /// Whether operand `i` is a whole register or the low part of one.
    static boolean isRegister(Instruction insn, int i) {
        return insn.kind(i) == OperandKind.GPR;
    }

    /// Register, register.
    abstract static class RegReg extends Op {
        final int dst;
        final int src;

        RegReg(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            src = insn.register(1);
        }
    }

    /// Register, immediate.
    abstract static class RegImm extends Op {
        final int dst;
        final long imm;

        RegImm(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            imm = insn.immediate();
        }
    }

    /// Register, memory.
    abstract static class RegMem extends Op {
        final int dst;
        final Address address;

        RegMem(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
        }
    }

    /// Memory, register.
    abstract static class MemReg extends Op {
        final Address address;
        final int src;

        MemReg(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
            src = insn.register(1);
        }
    }

    /// Memory, immediate.
    abstract static class MemImm extends Op {
        final Address address;
        final long imm;

        MemImm(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
            imm = insn.immediate();
        }
    }
}
