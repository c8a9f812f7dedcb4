package org.jvirt.machine.boot;

import org.jvirt.core.GuestMemory;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;

/// The processor states that boot protocols ask for: flat segments, interrupts off, nothing else.
final class EntryState {
    static final int RAX = 0;
    static final int RBX = 3;
    static final int RSP = 4;
    static final int RSI = 6;

    /// Linux's `__BOOT_CS` and `__BOOT_DS`.
    private static final int CODE_SELECTOR = 0x10;

    private static final int DATA_SELECTOR = 0x18;
    private static final int TASK_SELECTOR = 0x20;
    private static final int CODE = 0xb | Segment.S | Segment.PRESENT | Segment.GRANULARITY;
    private static final int DATA = 0x3 | Segment.S | Segment.PRESENT | Segment.GRANULARITY | Segment.BIG;
    private static final int BUSY_TASK = 0xb | Segment.PRESENT;
    private static final int GDT_ENTRIES = 5;

    private static final long CR0_PE_ET = 0x11;
    private static final long CR0_PG = 0x8000_0000L;
    private static final long CR4_PAE = 0x20;
    private static final long EFER_LME_LMA = 0x500;
    private static final long RFLAGS = 2;
    private static final long LARGE_PAGE = 1L << 21;
    private static final long PRESENT_WRITABLE = 3;
    private static final long PAGE_SIZE_BIT = 0x80;
    private static final int IDENTITY_GIB = 4;

    private EntryState() {}

    /// 32-bit protected mode without paging.
    static CpuState protectedMode(GuestMemory memory, int signature, long eip, long[] registers) {
        writeGdt(memory, CODE | Segment.BIG);
        var control = new ControlRegisters(CR0_PE_ET, 0, 0, 0, 0, 0, 1);
        return state(signature, CODE | Segment.BIG, control, eip, registers);
    }

    /// 64-bit mode with the first 4 GiB mapped to themselves.
    static CpuState longMode(GuestMemory memory, int signature, long rip, long[] registers) {
        writeGdt(memory, CODE | Segment.LONG);
        writeIdentityMap(memory);
        var control = new ControlRegisters(CR0_PE_ET | CR0_PG, 0, BootArea.PAGE_TABLES, CR4_PAE, 0, EFER_LME_LMA, 1);
        return state(signature, CODE | Segment.LONG, control, rip, registers);
    }

    private static CpuState state(
            int signature, int codeAttributes, ControlRegisters control, long rip, long[] registers) {
        Segment data = Segment.flat(DATA_SELECTOR, DATA);
        CpuState reset = CpuState.reset(Activity.RUNNING, signature);
        var segments = new SegmentRegisters(
                data,
                Segment.flat(CODE_SELECTOR, codeAttributes),
                data,
                data,
                data,
                data,
                reset.segments().ldt(),
                new Segment(TASK_SELECTOR, 0, 0x67, BUSY_TASK),
                new DescriptorTable(BootArea.GDT, 8 * GDT_ENTRIES - 1),
                new DescriptorTable(0, 0));
        return reset.with(segments).with(control).with(GeneralRegisters.of(registers, rip, RFLAGS));
    }

    private static void writeGdt(GuestMemory memory, int codeAttributes) {
        memory.fill(BootArea.GDT, 8 * GDT_ENTRIES, (byte) 0);
        memory.writeLong(BootArea.GDT + CODE_SELECTOR, descriptor(codeAttributes, 0xf_ffff));
        memory.writeLong(BootArea.GDT + DATA_SELECTOR, descriptor(DATA, 0xf_ffff));
        memory.writeLong(BootArea.GDT + TASK_SELECTOR, descriptor(BUSY_TASK, 0x67));
    }

    /// A segment descriptor with base 0 (Intel SDM volume 3, 3.4.5).
    private static long descriptor(int attributes, long limit) {
        return limit & 0xffff | (limit >> 16 & 0xf) << 48 | (attributes & 0xffL) << 40 | (attributes & 0xf000L) << 40;
    }

    private static void writeIdentityMap(GuestMemory memory) {
        long directories = BootArea.PAGE_TABLES + 2 * GuestMemory.PAGE_BYTES;
        memory.fill(BootArea.PAGE_TABLES, (2 + IDENTITY_GIB) * GuestMemory.PAGE_BYTES, (byte) 0);
        memory.writeLong(BootArea.PAGE_TABLES, BootArea.PAGE_TABLES + GuestMemory.PAGE_BYTES | PRESENT_WRITABLE);
        for (int gib = 0; gib < IDENTITY_GIB; gib++) {
            long directory = directories + gib * GuestMemory.PAGE_BYTES;
            memory.writeLong(BootArea.PAGE_TABLES + GuestMemory.PAGE_BYTES + 8L * gib, directory | PRESENT_WRITABLE);
            for (int i = 0; i < 512; i++) {
                long gpa = (512L * gib + i) * LARGE_PAGE;
                memory.writeLong(directory + 8L * i, gpa | PRESENT_WRITABLE | PAGE_SIZE_BIT);
            }
        }
    }
}
