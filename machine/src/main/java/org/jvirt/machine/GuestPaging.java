package org.jvirt.machine;

import java.util.OptionalLong;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;

/// Walks a guest's page tables for someone who looks in from outside: no faults, no accessed bits, no permissions.
/// Source: Intel SDM volume 3, "Paging".
final class GuestPaging {
    private static final long CR0_PG = 0x8000_0000L;
    private static final long CR4_PSE = 0x10;
    private static final long CR4_PAE = 0x20;
    private static final long CR4_LA57 = 0x1000;
    private static final long EFER_LMA = 0x400;
    private static final long PRESENT = 1;
    private static final long LARGE = 0x80;
    private static final long FRAME = 0x000f_ffff_ffff_f000L;

    private GuestPaging() {}

    static OptionalLong translate(GuestMemory memory, CpuState cpu, long gva) {
        ControlRegisters control = cpu.control();
        if ((control.cr0() & CR0_PG) == 0) {
            return OptionalLong.of(gva & 0xffff_ffffL);
        }
        if ((control.cr4() & CR4_PAE) == 0) {
            return twoLevels(memory, control, gva & 0xffff_ffffL);
        }
        if ((control.efer() & EFER_LMA) == 0) {
            long pointers = control.cr3() & 0xffff_ffe0L;
            OptionalLong entry = entry(memory, pointers + 8 * (gva >>> 30 & 3));
            return entry.isEmpty() ? entry : walk(memory, entry.getAsLong() & FRAME, gva & 0xffff_ffffL, 2);
        }
        return walk(memory, control.cr3() & FRAME, gva, (control.cr4() & CR4_LA57) != 0 ? 5 : 4);
    }

    /// Tables of 512 entries of 8 bytes, from `levels` down to 1.
    private static OptionalLong walk(GuestMemory memory, long table, long gva, int levels) {
        long current = table;
        for (int level = levels; level >= 1; level--) {
            int shift = 12 + 9 * (level - 1);
            OptionalLong entry = entry(memory, current + 8 * (gva >>> shift & 0x1ff));
            if (entry.isEmpty()) {
                return entry;
            }
            long value = entry.getAsLong();
            if (level == 1 || (level == 2 || level == 3) && (value & LARGE) != 0) {
                long offsetMask = (1L << shift) - 1;
                return OptionalLong.of(value & FRAME & ~offsetMask | gva & offsetMask);
            }
            current = value & FRAME;
        }
        throw new IllegalStateException("A walk ends at level 1");
    }

    private static OptionalLong twoLevels(GuestMemory memory, ControlRegisters control, long gva) {
        long directory = (control.cr3() & 0xffff_f000L) + 4 * (gva >>> 22);
        if (!memory.contains(directory, 4)) {
            return OptionalLong.empty();
        }
        long entry = memory.readInt(directory) & 0xffff_ffffL;
        if ((entry & PRESENT) == 0) {
            return OptionalLong.empty();
        }
        if ((entry & LARGE) != 0 && (control.cr4() & CR4_PSE) != 0) {
            long high = (entry >>> 13 & 0xff) << 32;
            return OptionalLong.of(high | entry & 0xffc0_0000L | gva & 0x3f_ffff);
        }
        long tableEntry = (entry & 0xffff_f000L) + 4 * (gva >>> 12 & 0x3ff);
        if (!memory.contains(tableEntry, 4)) {
            return OptionalLong.empty();
        }
        long page = memory.readInt(tableEntry) & 0xffff_ffffL;
        return (page & PRESENT) == 0 ? OptionalLong.empty() : OptionalLong.of(page & 0xffff_f000L | gva & 0xfff);
    }

    private static OptionalLong entry(GuestMemory memory, long gpa) {
        if (!memory.contains(gpa, 8)) {
            return OptionalLong.empty();
        }
        long value = memory.readLong(gpa);
        return (value & PRESENT) == 0 ? OptionalLong.empty() : OptionalLong.of(value);
    }
}
