package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Op;

/// What the interpreter executes of a [Block]: its operations, and which block came next last time.
///
/// The two links are by the address that was reached; they hold within one fetch generation. Owner thread only.
final class DecodedRun {
    private static final long NO_LINK = 1L << 62 | 1;

    private final Op[] ops;
    /// Length of all instructions in bytes.
    final int length;

    private @Nullable Block linkA;
    private long linkRipA = NO_LINK;
    private long linkGenerationA;
    private @Nullable Block linkB;
    private long linkRipB = NO_LINK;
    private long linkGenerationB;

    DecodedRun(Op[] ops, int length) {
        this.ops = ops;
        this.length = length;
    }

    /// Executes all at [Cpu#rip]; whether it came to the end without anything that needs a look between blocks.
    boolean run(Cpu cpu) {
        long start = cpu.rip;
        long end = start + length;
        cpu.blockRip = start;
        cpu.r[Cpu.BLOCK_RIP] = start;
        cpu.rip = end;
        Op[] list = ops;
        int i = 0;
        try {
            do {
                list[i].execute(cpu);
                i++;
            } while (i < list.length && !cpu.leave);
        } catch (GuestFault fault) {
            faulted(cpu, start, i, fault);
            return false;
        }
        cpu.instructions += i;
        if (cpu.leave) {
            if (cpu.rip == end && i < list.length) {
                cpu.rip = start + list[i - 1].nextOffset();
            }
            return false;
        }
        return true;
    }

    /// Executes at most `limit` instructions from the first on; answers how many that were.
    ///
    /// @throws org.jvirt.engine.soft.cpu.GuestFault of the instruction that [Cpu#rip] then is the address of
    int runSome(Cpu cpu, int limit) {
        long start = cpu.rip;
        cpu.blockRip = start;
        cpu.r[Cpu.BLOCK_RIP] = start;
        cpu.rip = start + length;
        cpu.leave = false;
        int most = Math.min(limit, ops.length);
        int i = 0;
        try {
            do {
                ops[i].execute(cpu);
                i++;
            } while (i < most && !cpu.leave);
        } catch (GuestFault fault) {
            cpu.rip = i == 0 ? start : start + ops[i - 1].nextOffset();
            throw fault;
        } finally {
            cpu.instructions += i;
        }
        if (i < ops.length && cpu.rip == start + length) {
            cpu.rip = start + ops[i - 1].nextOffset();
        }
        return i;
    }

    private void faulted(Cpu cpu, long start, int index, GuestFault fault) {
        cpu.instructions += index;
        cpu.rip = index == 0 ? start : start + ops[index - 1].nextOffset();
        cpu.debug.dropMet();
        cpu.interrupts.raise(fault);
    }

    /// The block that came next at `rip` before, in a fetch generation that is not over.
    @Nullable
    Block linked(long rip, Cpu cpu) {
        if (linkRipA == rip && cpu.isCurrent(linkGenerationA) && linkA != null && linkA.valid) {
            return linkA;
        }
        if (linkRipB == rip && cpu.isCurrent(linkGenerationB) && linkB != null && linkB.valid) {
            return linkB;
        }
        return null;
    }

    /// Remembers the next block. The older of the two links gives way.
    void link(long rip, long generation, Block next) {
        linkB = linkA;
        linkRipB = linkRipA;
        linkGenerationB = linkGenerationA;
        linkA = next;
        linkRipA = rip;
        linkGenerationA = generation;
    }
}
