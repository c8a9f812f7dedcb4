package org.jvirt.engine.soft.cpu;

import org.jvirt.x86.Instruction;

/// The effective address of an instruction's memory operand.
///
/// One class serves all shapes without branching between them: [Cpu#r] has a slot that is always zero for a missing
/// base or index, and one that holds the start of the running block for RIP-relative operands; likewise the segment
/// bases have a slot of zero for the segments that 64-bit mode ignores.
public final class Address {
    private static final int FLAT = 0;
    private static final int FLAT_STACK = 1;
    private static final int CHECKED = 2;

    private final int base;
    private final int index;
    private final int scale;
    private final long displacement;
    private final int segment;
    private final long mask;
    private final int kind;

    private Address(Instruction insn, int nextOffset) {
        boolean long64 = insn.codeSize().isLong();
        boolean ripRelative = insn.base() == Instruction.RIP;
        base = ripRelative ? Cpu.BLOCK_RIP : insn.base() < 0 ? Cpu.ZERO : insn.base();
        index = insn.index() < 0 || insn.vectorIndexSize() != 0 ? Cpu.ZERO : insn.index();
        scale = insn.index() < 0 ? 0 : insn.scale();
        displacement = ripRelative ? insn.displacement() + nextOffset : insn.displacement();
        mask = switch (insn.addressSize()) {
            case 2 -> 0xFFFFL;
            case 4 -> 0xFFFF_FFFFL;
            default -> -1L;
        };
        if (long64) {
            boolean based = insn.segment() == Instruction.FS || insn.segment() == Instruction.GS;
            segment = based ? insn.segment() : Segments.NO_BASE;
            kind = insn.segment() == Instruction.SS ? FLAT_STACK : FLAT;
        } else {
            segment = insn.segment();
            kind = CHECKED;
        }
    }

    /// The address of `insn`'s memory operand, whose next instruction begins `nextOffset` bytes into the block.
    /// For a gather the part that is common to its elements.
    public static Address of(Instruction insn, int nextOffset) {
        return new Address(insn, nextOffset);
    }

    /// The linear address for reading `size` bytes.
    ///
    /// @throws GuestFault `#GP(0)` or `#SS(0)` if the segment does not allow it
    public long linear(Cpu cpu, int size) {
        long[] r = cpu.r;
        long offset = r[base] + (r[index] << scale) + displacement & mask;
        if (kind == FLAT) {
            return cpu.segments.base[segment] + offset;
        }
        return checked(cpu, offset, size, false);
    }

    /// The linear address for writing `size` bytes, or for reading and then writing them.
    ///
    /// @throws GuestFault `#GP(0)` or `#SS(0)` if the segment does not allow it
    public long linearForWrite(Cpu cpu, int size) {
        long[] r = cpu.r;
        long offset = r[base] + (r[index] << scale) + displacement & mask;
        if (kind == FLAT) {
            return cpu.segments.base[segment] + offset;
        }
        return checked(cpu, offset, size, true);
    }

    /// The offset within the segment, as LEA computes it before it is cut to the operand size.
    public long offset(Cpu cpu) {
        long[] r = cpu.r;
        return r[base] + (r[index] << scale) + displacement & mask;
    }

    /// The linear address `distance` bytes (signed) from the operand's own, for bit strings and gathers; the offset
    /// wraps at the address size.
    public long linearAt(Cpu cpu, long distance, int size, boolean write) {
        long offset = offset(cpu) + distance & mask;
        if (kind == FLAT) {
            return cpu.segments.base[segment] + offset;
        }
        return checked(cpu, offset, size, write);
    }

    /// The segment register, 0 ES to 5 GS, or [Segments#NO_BASE] where 64-bit mode ignores it.
    public int segment() {
        return segment;
    }

    private long checked(Cpu cpu, long offset, int size, boolean write) {
        if (kind == FLAT_STACK) {
            if (!cpu.isCanonical(offset)) {
                throw cpu.ss(0);
            }
            return offset;
        }
        return cpu.segments.linear(segment, offset, size, write);
    }
}
