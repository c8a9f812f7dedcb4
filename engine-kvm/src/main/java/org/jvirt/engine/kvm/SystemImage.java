package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;

/// `struct kvm_sregs`: segments, descriptor tables and control registers.
///
/// ```
/// 0 cs, ds, es, fs, gs, ss, tr, ldt: 24 bytes each     base 0, limit 8, selector 12, type 14, present, dpl, db, s,
/// l, 192 gdt, idt: base, limit                                 g, avl, unusable
/// 224 cr0, cr2, cr3, cr4, cr8, efer, apic_base          280 interrupt_bitmap
/// ```
final class SystemImage {
    static final int BYTES = 312;
    private static final int CS = 0;
    private static final int DS = 24;
    private static final int ES = 48;
    private static final int FS = 72;
    private static final int GS = 96;
    private static final int SS = 120;
    private static final int TR = 144;
    private static final int LDT = 168;
    private static final int GDT = 192;
    private static final int IDT = 208;
    private static final int CR0 = 224;
    private static final int CR2 = 232;
    private static final int CR3 = 240;
    private static final int CR4 = 248;
    private static final int CR8 = 256;
    private static final int EFER = 264;
    private static final int APIC_BASE = 272;
    private static final int INTERRUPTS = 280;
    private static final int EFER_LMA = 1 << 10;
    private static final int EFER_LME = 1 << 8;
    private static final long CR0_PG = 1L << 31;
    private static final int GRANULARITY_SHIFT = 12;

    private SystemImage() {}

    static SegmentRegisters segments(MemorySegment image) {
        return new SegmentRegisters(
                segment(image, ES),
                segment(image, CS),
                segment(image, SS),
                segment(image, DS),
                segment(image, FS),
                segment(image, GS),
                segment(image, LDT),
                segment(image, TR),
                table(image, GDT),
                table(image, IDT));
    }

    private static Segment segment(MemorySegment image, int at) {
        int attributes = flag(image, at + 14)
                | flag(image, at + 15) << 7
                | flag(image, at + 16) << 5
                | flag(image, at + 17) << 14
                | flag(image, at + 18) << 4
                | flag(image, at + 19) << 13
                | flag(image, at + 20) << 15
                | flag(image, at + 21) << 12
                | (flag(image, at + 22) != 0 ? Segment.UNUSABLE : 0);
        return new Segment(
                image.get(JAVA_SHORT, at + 12) & 0xFFFF,
                image.get(JAVA_LONG, at),
                image.get(JAVA_INT, at + 8) & 0xFFFF_FFFFL,
                attributes);
    }

    private static int flag(MemorySegment image, int at) {
        return image.get(JAVA_BYTE, at);
    }

    private static DescriptorTable table(MemorySegment image, int at) {
        return new DescriptorTable(image.get(JAVA_LONG, at), image.get(JAVA_SHORT, at + 8) & 0xFFFF);
    }

    static ControlRegisters control(MemorySegment image, long xcr0) {
        return new ControlRegisters(
                image.get(JAVA_LONG, CR0),
                image.get(JAVA_LONG, CR2),
                image.get(JAVA_LONG, CR3),
                image.get(JAVA_LONG, CR4),
                image.get(JAVA_LONG, CR8),
                image.get(JAVA_LONG, EFER),
                xcr0);
    }

    static long apicBase(MemorySegment image) {
        return image.get(JAVA_LONG, APIC_BASE);
    }

    static void setApicBase(MemorySegment image, long value) {
        image.set(JAVA_LONG, APIC_BASE, value);
    }

    /// Fills in all but the APIC's base address, which stays as it is.
    static void fill(MemorySegment image, SegmentRegisters segments, ControlRegisters control) {
        fill(image, ES, segments.es());
        fill(image, CS, segments.cs());
        fill(image, SS, segments.ss());
        fill(image, DS, segments.ds());
        fill(image, FS, segments.fs());
        fill(image, GS, segments.gs());
        fill(image, LDT, segments.ldt());
        fill(image, TR, segments.tr());
        fill(image, GDT, segments.gdt());
        fill(image, IDT, segments.idt());
        image.set(JAVA_LONG, CR0, control.cr0());
        image.set(JAVA_LONG, CR2, control.cr2());
        image.set(JAVA_LONG, CR3, control.cr3());
        image.set(JAVA_LONG, CR4, control.cr4());
        image.set(JAVA_LONG, CR8, control.cr8());
        boolean active = (control.efer() & EFER_LME) != 0 && (control.cr0() & CR0_PG) != 0;
        image.set(JAVA_LONG, EFER, active ? control.efer() | EFER_LMA : control.efer() & ~EFER_LMA);
        image.asSlice(INTERRUPTS).fill((byte) 0);
    }

    private static void fill(MemorySegment image, int at, Segment s) {
        int a = s.attributes();
        image.set(JAVA_LONG, at, s.base());
        image.set(JAVA_INT, at + 8, (int) s.limit());
        image.set(JAVA_SHORT, at + 12, (short) s.selector());
        // A limit of more than 20 bits can only be counted in pages.
        int granular = s.limit() >>> 20 != 0 && (s.limit() & (1 << GRANULARITY_SHIFT) - 1) == 0xFFF ? 1 : a >> 15 & 1;
        setFlag(image, at + 14, a & 15);
        setFlag(image, at + 15, a >> 7 & 1);
        setFlag(image, at + 16, a >> 5 & 3);
        setFlag(image, at + 17, a >> 14 & 1);
        setFlag(image, at + 18, a >> 4 & 1);
        setFlag(image, at + 19, a >> 13 & 1);
        setFlag(image, at + 20, granular);
        setFlag(image, at + 21, a >> 12 & 1);
        setFlag(image, at + 22, s.has(Segment.UNUSABLE) ? 1 : 0);
        setFlag(image, at + 23, 0);
    }

    private static void setFlag(MemorySegment image, int at, int value) {
        image.set(JAVA_BYTE, at, (byte) value);
    }

    private static void fill(MemorySegment image, int at, DescriptorTable table) {
        image.set(JAVA_LONG, at, table.base());
        image.set(JAVA_LONG, at + 8, table.limit() & 0xFFFFL);
    }
}
