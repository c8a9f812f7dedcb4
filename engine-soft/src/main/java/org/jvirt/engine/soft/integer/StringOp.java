package org.jvirt.engine.soft.integer;

import org.jvirt.core.cpu.Segment;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.x86.Instruction;

/// The frame of a string instruction: its pointers, its counter and its repetition.
///
/// Registers change once per completed iteration, or once per run of iterations that is known to pass, so that
/// they are exact whenever an iteration faults. A repeated instruction stops between iterations for interrupts and
/// single steps, with RIP on itself.
abstract class StringOp extends Op {
    /// Iterations between two looks for interrupts.
    private static final int PATIENCE = 64;

    /// Bytes of an element: 1, 2, 4 or 8.
    final int size;
    /// Addresses and the counter have this width.
    final long mask;
    private final Address source;
    private final boolean repeated;
    /// What ZF must be for another iteration: 1 or 0, or -1 where it does not matter.
    private final int goesOnAtZf;
    private final int startOffset;

    /// @param comparing whether REPE and REPNE differ for this instruction
    StringOp(Instruction insn, int nextOffset, boolean comparing) {
        super(nextOffset);
        size = insn.operandSize();
        mask = switch (insn.addressSize()) {
            case 2 -> 0xFFFFL;
            case 4 -> 0xFFFF_FFFFL;
            default -> -1L;
        };
        source = Address.of(insn, nextOffset);
        repeated = insn.rep() || insn.repne();
        goesOnAtZf = !comparing ? -1 : insn.rep() ? 1 : 0;
        startOffset = nextOffset - insn.length();
    }

    /// One iteration, pointers included, counter excluded.
    abstract void iterate(Cpu cpu);

    /// Performs some of `count` iterations at once if that is safe.
    ///
    /// @param count unsigned, not zero
    /// @return how many were done, pointers included; 0 if they must go one by one
    long run(Cpu cpu, long count) {
        return 0;
    }

    @Override
    public final void execute(Cpu cpu) {
        if (repeated) {
            repeat(cpu);
        } else {
            iterate(cpu);
        }
    }

    private void repeat(Cpu cpu) {
        long count = cpu.r[Cpu.RCX] & mask;
        boolean stepping = (cpu.systemFlags() & Cpu.TF) != 0;
        int patience = PATIENCE;
        while (count != 0) {
            long done = stepping || count == 1 ? 0 : run(cpu, count);
            if (done == 0) {
                iterate(cpu);
                done = 1;
                patience--;
            } else {
                patience = 0;
            }
            count -= done;
            setLow(cpu.r, Cpu.RCX, count);
            if (goesOnAtZf >= 0 && cpu.flags.zf() != (goesOnAtZf == 1)) {
                return;
            }
            if (patience <= 0 || stepping || cpu.leave) {
                if (count != 0 && cpu.interruptRequested()) {
                    cpu.stayAt(startOffset);
                    return;
                }
                patience = PATIENCE;
            }
        }
    }

    /// The linear address of the element at rSI.
    final long sourceAddress(Cpu cpu) {
        return source.linearAt(cpu, cpu.r[Cpu.RSI], size, false);
    }

    /// The linear address of the element at ES:rDI.
    final long destinationAddress(Cpu cpu, boolean write) {
        return cpu.segments.linear(Segments.ES, cpu.r[Cpu.RDI] & mask, size, write);
    }

    final void advanceSource(Cpu cpu) {
        setLow(cpu.r, Cpu.RSI, cpu.r[Cpu.RSI] + (cpu.df() ? -size : size));
    }

    final void advanceDestination(Cpu cpu) {
        setLow(cpu.r, Cpu.RDI, cpu.r[Cpu.RDI] + (cpu.df() ? -size : size));
    }

    /// How many elements, at most `count`, go up from rSI without leaving the page of `la`, the address width or
    /// the segment.
    final long sourceRun(Cpu cpu, long la, long count) {
        return elementsAhead(cpu, source.segment(), cpu.r[Cpu.RSI] & mask, la, count);
    }

    /// The same from ES:rDI.
    final long destinationRun(Cpu cpu, long la, long count) {
        return elementsAhead(cpu, Segments.ES, cpu.r[Cpu.RDI] & mask, la, count);
    }

    /// How many elements, at most `count`, go down from rSI without leaving the page of `la` or passing offset
    /// zero.
    final long sourceRunDown(Cpu cpu, long la, long count) {
        return elementsBehind(cpu, source.segment(), cpu.r[Cpu.RSI] & mask, la, count);
    }

    /// The same from ES:rDI.
    final long destinationRunDown(Cpu cpu, long la, long count) {
        return elementsBehind(cpu, Segments.ES, cpu.r[Cpu.RDI] & mask, la, count);
    }

    private long elementsBehind(Cpu cpu, int segment, long offset, long la, long count) {
        long inPage = la & 4095;
        if (inPage + size > 4096 || !cpu.longMode64() && expandsDown(cpu, segment)) {
            return 0;
        }
        long elements = (mask == -1 ? inPage : Math.min(inPage, offset)) / size + 1;
        return Long.compareUnsigned(count, elements) < 0 ? count : elements;
    }

    private static boolean expandsDown(Cpu cpu, int segment) {
        return (cpu.segments.attributes(segment) & (Segment.S | 0xC)) == (Segment.S | 4);
    }

    private long elementsAhead(Cpu cpu, int segment, long offset, long la, long count) {
        long bytes = 4096 - (la & 4095);
        if (mask != -1) {
            bytes = Math.min(bytes, mask - offset + 1);
        }
        if (!cpu.longMode64()) {
            bytes = expandsDown(cpu, segment) ? 0 : Math.min(bytes, cpu.segments.limit(segment) - offset + 1);
        }
        long elements = bytes / size;
        return Long.compareUnsigned(count, elements) < 0 ? count : elements;
    }

    /// Whether another iteration follows one that has compared equal, or unequal.
    final boolean goesOn(boolean equal) {
        return equal == (goesOnAtZf == 1);
    }

    /// Writes the part of a register that the address width covers: 16 bits leave the others alone, 32 clear them.
    final void setLow(long[] r, int register, long value) {
        r[register] = mask == 0xFFFF ? r[register] & ~mask | value & mask : value & mask;
    }
}
