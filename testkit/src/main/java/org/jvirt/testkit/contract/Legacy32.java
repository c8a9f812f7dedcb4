package org.jvirt.testkit.contract;

import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// A guest's tables for 32-bit protected mode without paging, with tasks of both widths.
///
/// ```
/// 0x06_0000  GDT: 8 code, 0x10 data, 0x1B user code, 0x23 user data, 0x28 the running TSS, 0x30 TSS, 0x38 TSS of
/// 16
///            bits, 0x40 code16 and 0x48 data16 at FREE, the rest for tests
/// 0x06_1000  IDT     0x06_2000, 0x06_3000, 0x06_4000  TSS
/// ```
///
/// The running TSS has an interrupt redirection map and an I/O permission map, both all zero.
final class Legacy32 {
    static final long GDT = 0x6_0000;
    static final long IDT = 0x6_1000;
    static final long RUNNING = 0x6_2000;
    static final long SECOND = 0x6_3000;
    static final long SHORT = 0x6_4000;
    static final int REDIRECTION = 0x68;
    static final long HANDLER = Guest.FREE + 0x2_0000;
    static final int CODE16 = Segment.PRESENT | Segment.S | 0xB;
    static final int DATA16 = Segment.PRESENT | Segment.S | 0x3;
    static final int CODE = CODE16 | Segment.GRANULARITY | Segment.BIG;
    static final int DATA = DATA16 | Segment.GRANULARITY | Segment.BIG;
    static final int USER = 3 << 5;
    static final int INTERRUPT_GATE = Segment.PRESENT | 0xE;
    static final int TASK_GATE = Segment.PRESENT | 0x5;

    private Legacy32() {}

    static Assembler code32(long origin) {
        return new Assembler(CodeSize.CODE32, origin);
    }

    static void descriptor(Guest guest, int selector, long base, int limit, int attributes) {
        guest.memory.writeLong(
                GDT + selector,
                limit & 0xFFFF
                        | (base & 0xFF_FFFF) << 16
                        | (long) attributes << 40
                        | (limit >>> 16 & 15L) << 48
                        | base >>> 24 << 56);
    }

    /// A gate in the IDT, or with `table` [#GDT] and the number of a slot in the GDT.
    static void gate(Guest guest, long table, int slot, int selector, long offset, int attributes) {
        guest.memory.writeLong(
                table + 8L * slot,
                offset & 0xFFFF | (long) selector << 16 | (long) attributes << 40 | (offset & 0xFFFF_0000L) << 32);
    }

    /// Makes `vector` an interrupt gate to `code` at [#HANDLER] and a distance of its own.
    static void handle(Guest guest, int vector, int dpl, Assembler code) {
        guest.load(at(vector), code);
        gate(guest, IDT, vector, 8, at(vector), INTERRUPT_GATE | dpl << 5);
    }

    static long at(int vector) {
        return HANDLER + vector * 0x100L;
    }

    static Assembler handler(int vector) {
        return code32(at(vector));
    }

    static void tables(Guest guest) {
        descriptor(guest, 0x08, 0, 0xF_FFFF, CODE);
        descriptor(guest, 0x10, 0, 0xF_FFFF, DATA);
        descriptor(guest, 0x18, 0, 0xF_FFFF, CODE | USER);
        descriptor(guest, 0x20, 0, 0xF_FFFF, DATA | USER);
        descriptor(guest, 0x28, RUNNING, 0xFF, Segment.PRESENT | 0xB);
        descriptor(guest, 0x30, SECOND, 0x67, Segment.PRESENT | 0x9);
        descriptor(guest, 0x38, SHORT, 0x2B, Segment.PRESENT | 0x1);
        descriptor(guest, 0x40, Guest.FREE, 0xFFFF, CODE16);
        descriptor(guest, 0x48, Guest.FREE, 0xFFFF, DATA16);
        guest.memory.writeInt(RUNNING + 4, (int) Guest.KERNEL_STACK);
        guest.memory.writeInt(RUNNING + 8, 0x10);
        guest.memory.writeShort(RUNNING + 102, REDIRECTION + 32);
    }

    /// Fills a TSS of 32 bits: flat segments, privilege level 0.
    static void task(Guest guest, long tss, long eip) {
        guest.memory.writeInt(tss + 32, (int) eip);
        guest.memory.writeInt(tss + 36, 2);
        guest.memory.writeInt(tss + 56, (int) Guest.KERNEL_STACK - 0x800);
        for (int s = 0; s < 6; s++) {
            guest.memory.writeInt(tss + 72 + 4L * s, s == 1 ? 8 : 0x10);
        }
    }

    /// Fills a TSS of 16 bits: segments 0x40 and 0x48.
    static void shortTask(Guest guest, int ip) {
        guest.memory.writeShort(SHORT + 14, ip);
        guest.memory.writeShort(SHORT + 16, 2);
        guest.memory.writeShort(SHORT + 26, 0xF000);
        for (int s = 0; s < 4; s++) {
            guest.memory.writeShort(SHORT + 34 + 2L * s, s == 1 ? 0x40 : 0x48);
        }
    }

    static CpuState state(long cr0, long cr4) {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(8, CODE);
        var data = Segment.flat(0x10, DATA);
        var task = new Segment(0x28, RUNNING, 0xFF, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = Guest.STACK;
        return reset.with(GeneralRegisters.of(registers, Guest.CODE, 2))
                .with(new SegmentRegisters(
                        data,
                        code,
                        data,
                        data,
                        data,
                        data,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(GDT, 0x7F),
                        new DescriptorTable(IDT, 0x7FF)))
                .with(new ControlRegisters(0x11 | cr0, 0, 0, cr4, 0, 0, 1));
    }

    static void run(Guest guest, Assembler code) {
        run(guest, code, 0, 0);
    }

    static void run(Guest guest, Assembler code, long cr0, long cr4) {
        guest.load(Guest.CODE, code);
        guest.vcpus.getFirst().load(state(cr0, cr4));
        guest.run(0);
    }

    /// Goes to user code at [Guest#FREE].
    static Assembler toUser(int flags) {
        return code32(Guest.CODE)
                .push(0x23)
                .push(Guest.STACK - 0x100)
                .push(flags)
                .push(0x1B)
                .push(Guest.FREE)
                .iretd();
    }

    /// Goes to virtual-8086 code at 0x500:0 with stack 0x300:0x1000.
    static Assembler toVirtual(int flags) {
        return code32(Guest.CODE)
                .push(0)
                .push(0)
                .push(0)
                .push(0)
                .push(0x300)
                .push(0x1000)
                .push(0x2_0002 | flags)
                .push(0x500)
                .push(0)
                .iretd();
    }
}
