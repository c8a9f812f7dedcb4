package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.Segment;

/// Descriptor tables, and the loads of segment and system registers from them with all their checks.
///
/// Source: Intel SDM volume 2, MOV, LAR, LSL, VERR, LLDT, LTR; volume 3, chapter 5.
public final class Segmentation {
    private final Cpu cpu;

    Segmentation(Cpu cpu) {
        this.cpu = cpu;
    }

    // ---------------------------------------------------------------- tables

    public DescriptorTable gdt() {
        return new DescriptorTable(cpu.gdtBase, cpu.gdtLimit);
    }

    public DescriptorTable idt() {
        return new DescriptorTable(cpu.idtBase, cpu.idtLimit);
    }

    public void setGdt(long base, int limit) {
        cpu.gdtBase = base;
        cpu.gdtLimit = limit & 0xFFFF;
        cpu.newSystemGeneration();
    }

    public void setIdt(long base, int limit) {
        cpu.idtBase = base;
        cpu.idtLimit = limit & 0xFFFF;
        cpu.newSystemGeneration();
    }

    static boolean isNull(int selector) {
        return (selector & 0xFFFC) == 0;
    }

    /// The linear address of a selector's descriptor, or -1 if `bytes` of it are not inside its table.
    long descriptorAddress(int selector, int bytes) {
        int offset = selector & 0xFFF8;
        if ((selector & 4) != 0) {
            if ((cpu.segments.attributes[Segments.LDTR] & Segment.UNUSABLE) != 0
                    || isNull(cpu.segments.selector[Segments.LDTR])
                    || offset + bytes - 1 > cpu.segments.limit[Segments.LDTR]) {
                return -1;
            }
            return cpu.segments.base[Segments.LDTR] + offset;
        }
        return offset + bytes - 1 > cpu.gdtLimit ? -1 : cpu.gdtBase + offset;
    }

    /// The descriptor of a selector that is not null.
    ///
    /// @throws GuestFault `vector(selector | ext)` where the table has none
    long read(int selector, int vector, int ext) {
        long la = descriptorAddress(selector, 8);
        if (la == -1) {
            throw fault(vector, selector, ext);
        }
        return cpu.mmu.systemLoad(la, 8);
    }

    GuestFault fault(int vector, int selector, int ext) {
        int code = selector & 0xFFFC | ext;
        return switch (vector) {
            case 10 -> cpu.ts(code);
            case 11 -> cpu.np(code);
            case 12 -> cpu.ss(code);
            default -> cpu.gp(code);
        };
    }

    /// Sets the accessed bit of a code or data descriptor; answers the descriptor with it.
    long access(int selector, long raw) {
        if ((raw >>> 40 & 1) == 0) {
            cpu.mmu.systemSetBits(descriptorAddress(selector, 8) + 5, 1);
        }
        return raw | 1L << 40;
    }

    void setFrom(int segment, int selector, long raw) {
        cpu.segments.set(segment, selector, Descriptor.base(raw), Descriptor.limit(raw), Descriptor.attributes(raw));
    }

    // ---------------------------------------------------------------- data segments

    /// MOV, POP and LDS-like loads of ES, SS, DS, FS and GS.
    public void load(int segment, int selector) {
        if (!cpu.protectedMode()) {
            if (cpu.virtual8086()) {
                cpu.segments.setVirtual8086(segment, selector);
            } else {
                cpu.segments.setReal(segment, selector);
            }
            stackChanged(segment);
            return;
        }
        if (segment == Segments.SS) {
            loadStack(selector, cpu.cpl, 13, 0);
            return;
        }
        if (isNull(selector)) {
            cpu.segments.setNull(segment, selector);
            return;
        }
        long raw = read(selector, 13, 0);
        checkData(selector, raw, cpu.cpl, 13, 0);
        if (!Descriptor.present(raw)) {
            throw fault(11, selector, 0);
        }
        setFrom(segment, selector, access(selector, raw));
    }

    /// Type and privilege of a descriptor for ES, DS, FS or GS.
    void checkData(int selector, long raw, int cpl, int vector, int ext) {
        if (!Descriptor.readable(raw)) {
            throw fault(vector, selector, ext);
        }
        boolean anyLevel = Descriptor.code(raw) && Descriptor.conforming(raw);
        if (!anyLevel && Math.max(selector & 3, cpl) > Descriptor.dpl(raw)) {
            throw fault(vector, selector, ext);
        }
    }

    /// Loads SS for privilege level `level`; `vector` is #GP, or #TS on a change of stacks.
    void loadStack(int selector, int level, int vector, int ext) {
        if (isNull(selector)) {
            if (cpu.longMode64() && level < 3 && (selector & 3) == level && vector == 13) {
                cpu.segments.setNull(Segments.SS, selector);
                stackChanged(Segments.SS);
                return;
            }
            throw fault(vector, 0, ext);
        }
        long raw = checkStack(selector, level, vector, ext);
        setFrom(Segments.SS, selector, access(selector, raw));
        stackChanged(Segments.SS);
    }

    /// The descriptor for SS at privilege level `level`.
    long checkStack(int selector, int level, int vector, int ext) {
        long raw = read(selector, vector, ext);
        if ((selector & 3) != level || !Descriptor.writableData(raw) || Descriptor.dpl(raw) != level) {
            throw fault(vector, selector, ext);
        }
        if (!Descriptor.present(raw)) {
            throw fault(12, selector, ext);
        }
        return raw;
    }

    private void stackChanged(int segment) {
        if (segment == Segments.SS && !cpu.longMode64()) {
            boolean big = (cpu.segments.attributes[Segments.SS] & Segment.BIG) != 0;
            if (big != (cpu.stackMask() != 0xFFFF)) {
                cpu.updateMode();
            }
        }
    }

    /// After a return to an outer level: data segments that the new level may not use become null.
    void dropInner(int cpl) {
        for (int s = Segments.ES; s <= Segments.GS; s++) {
            if (s == Segments.CS || s == Segments.SS) {
                continue;
            }
            int a = cpu.segments.attributes[s];
            boolean conformingCode = (a & 0xC) == 0xC;
            if (!isNull(cpu.segments.selector[s]) && cpu.segments.dpl(s) < cpl && !conformingCode) {
                // only the selector is cleared: the base of FS and GS still counts in 64-bit mode
                cpu.segments.set(s, 0, cpu.segments.base[s], cpu.segments.limit[s], a | Segment.UNUSABLE);
            }
        }
    }

    // ---------------------------------------------------------------- system registers

    /// LLDT.
    public void loadLdt(int selector) {
        if (isNull(selector)) {
            cpu.segments.set(Segments.LDTR, selector, 0, 0, Segment.UNUSABLE);
            return;
        }
        if ((selector & 4) != 0) {
            throw fault(13, selector, 0);
        }
        int bytes = cpu.longModeActive() ? 16 : 8;
        long la = descriptorAddress(selector, bytes);
        if (la == -1) {
            throw fault(13, selector, 0);
        }
        long raw = cpu.mmu.systemLoad(la, 8);
        if (Descriptor.segment(raw) || Descriptor.type(raw) != Descriptor.LDT) {
            throw fault(13, selector, 0);
        }
        if (!Descriptor.present(raw)) {
            throw fault(11, selector, 0);
        }
        cpu.segments.set(
                Segments.LDTR,
                selector,
                Descriptor.base(raw) | upperBase(la, selector),
                Descriptor.limit(raw),
                Descriptor.attributes(raw));
    }

    /// LTR.
    public void loadTask(int selector) {
        if (isNull(selector)) {
            throw cpu.gp(0);
        }
        if ((selector & 4) != 0) {
            throw fault(13, selector, 0);
        }
        int bytes = cpu.longModeActive() ? 16 : 8;
        long la = descriptorAddress(selector, bytes);
        if (la == -1) {
            throw fault(13, selector, 0);
        }
        long raw = cpu.mmu.systemLoad(la, 8);
        int type = Descriptor.type(raw);
        boolean available =
                type == Descriptor.TSS32_AVAILABLE || type == Descriptor.TSS16_AVAILABLE && !cpu.longModeActive();
        if (Descriptor.segment(raw) || !available) {
            throw fault(13, selector, 0);
        }
        if (!Descriptor.present(raw)) {
            throw fault(11, selector, 0);
        }
        long base = Descriptor.base(raw) | upperBase(la, selector);
        cpu.mmu.systemSetBits(la + 5, 2);
        cpu.segments.set(Segments.TR, selector, base, Descriptor.limit(raw), Descriptor.attributes(raw) | 2);
    }

    private long upperBase(long la, int selector) {
        if (!cpu.longModeActive()) {
            return 0;
        }
        long upper = cpu.mmu.systemLoad(la + 8, 8);
        long base = upper << 32;
        if ((upper >>> 40 & 0x1F) != 0 || !cpu.isCanonicalBase(base)) {
            throw fault(13, selector, 0);
        }
        return base;
    }

    // ---------------------------------------------------------------- questions about descriptors

    /// LAR: the second word of the descriptor without its address parts, or -1 if the selector may not be asked
    /// about.
    public long accessRights(int selector) {
        long raw = visible(selector, true);
        return raw == 0 ? -1 : raw >>> 32 & 0x00F0_FF00L;
    }

    /// LSL: the limit in bytes, or -1.
    public long limit(int selector) {
        long raw = visible(selector, false);
        return raw == 0 ? -1 : Descriptor.limit(raw);
    }

    /// The descriptor, or 0 where LAR (`gates`) or LSL clear ZF.
    private long visible(int selector, boolean gates) {
        if (isNull(selector)) {
            return 0;
        }
        long la = descriptorAddress(selector, 8);
        if (la == -1) {
            return 0;
        }
        long raw = cpu.mmu.systemLoad(la, 8);
        if (!Descriptor.segment(raw)) {
            boolean allowed = switch (Descriptor.type(raw)) {
                case Descriptor.TSS16_AVAILABLE, Descriptor.TSS16_BUSY -> !cpu.longModeActive();
                case Descriptor.LDT, Descriptor.TSS32_AVAILABLE, Descriptor.TSS32_BUSY -> true;
                case Descriptor.CALL_GATE16, Descriptor.TASK_GATE -> gates && !cpu.longModeActive();
                case Descriptor.CALL_GATE32 -> gates;
                default -> false;
            };
            if (!allowed) {
                return 0;
            }
        }
        boolean anyLevel = Descriptor.segment(raw) && Descriptor.code(raw) && Descriptor.conforming(raw);
        return anyLevel || Math.max(selector & 3, cpu.cpl) <= Descriptor.dpl(raw) ? raw : 0;
    }

    /// VERR and VERW.
    public boolean verify(int selector, boolean write) {
        if (isNull(selector)) {
            return false;
        }
        long la = descriptorAddress(selector, 8);
        if (la == -1) {
            return false;
        }
        long raw = cpu.mmu.systemLoad(la, 8);
        if (write ? !Descriptor.writableData(raw) : !Descriptor.readable(raw)) {
            return false;
        }
        boolean anyLevel = Descriptor.code(raw) && Descriptor.conforming(raw);
        return anyLevel || Math.max(selector & 3, cpu.cpl) <= Descriptor.dpl(raw);
    }
}
