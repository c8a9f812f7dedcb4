package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.translate.TranslatedBlock;

/// A run of instructions that is entered at the top: up to a control transfer, the end of the page or a maximum.
///
/// It depends on nothing but the bytes and the [#key]: it runs at any linear address that shows these bytes. The
/// two links remember which block came next last time, by the address it was reached at; they hold within one fetch
/// generation.
final class Block {
    /// Of blocks whose code is nowhere in memory, or that exist for one execution.
    static final long NOWHERE = -1;

    private static final long NO_LINK = 1L << 62 | 1;

    /// Backing offset of the first byte.
    final long at;
    /// Mode key and whether it is for single-stepping.
    final int key;
    final int length;
    final Op[] ops;
    /// Backing page of the second part of an instruction that crosses pages, or -1.
    final long secondPage;
    /// How many of [#length] bytes are on the first page.
    final int firstPart;

    boolean valid = true;

    @Nullable
    Block nextInBucket;

    /// How often it has been executed while it had no translation, up to the threshold.
    int heat;
    /// The first instruction is not for translation.
    boolean untranslatable;
    /// Translations, for the addresses and rights it has been found hot at.
    @Nullable
    TranslatedBlock translations;
    /// Further bytes of the page that translations depend on, as offsets in the page; the last is -1 for none.
    int alsoFirst = Integer.MAX_VALUE;

    int alsoLast = -1;

    private @Nullable Block linkA;
    private long linkRipA = NO_LINK;
    private long linkGenerationA;
    private @Nullable Block linkB;
    private long linkRipB = NO_LINK;
    private long linkGenerationB;

    Block(long at, int key, int length, Op[] ops, long secondPage, int firstPart) {
        this.at = at;
        this.key = key;
        this.length = length;
        this.ops = ops;
        this.secondPage = secondPage;
        this.firstPart = firstPart;
    }

    /// Executes the block at [Cpu#rip]; whether it came to its end without anything that needs a look between
    /// blocks.
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

    /// Whether it has a place in memory and the translator has not refused it.
    boolean isTranslatable() {
        return at != NOWHERE && !untranslatable;
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
