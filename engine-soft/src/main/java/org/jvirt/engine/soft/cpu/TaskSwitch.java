package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Segment;

/// The task-state segment: stacks of inner levels, the I/O permission bitmap, and hardware task switches.
///
/// Source: Intel SDM volume 3, chapter 7.
public final class TaskSwitch {
    /// What starts a switch.
    private enum Reason {
        JUMP,
        CALL,
        INTERRUPT,
        RETURN
    }

    private static final int SIZE_32 = 104;
    private static final int SIZE_16 = 44;

    private final Cpu cpu;

    TaskSwitch(Cpu cpu) {
        this.cpu = cpu;
    }

    private boolean wide() {
        return (cpu.segments.attributes[Segments.TR] & 8) != 0;
    }

    private GuestFault invalid(int ext) {
        return cpu.segmentation.fault(10, cpu.segments.selector[Segments.TR], ext);
    }

    /// ESPn or SPn of the current TSS.
    long innerStackPointer(int level, int ext) {
        boolean wide = wide();
        int offset = wide ? 4 + 8 * level : 2 + 4 * level;
        if (offset + (wide ? 7 : 3) > cpu.segments.limit[Segments.TR]) {
            throw invalid(ext);
        }
        return cpu.mmu.systemLoad(cpu.segments.base[Segments.TR] + offset, wide ? 4 : 2);
    }

    /// SSn of the current TSS.
    int innerStackSelector(int level, int ext) {
        boolean wide = wide();
        int offset = wide ? 8 + 8 * level : 4 + 4 * level;
        if (offset + 1 > cpu.segments.limit[Segments.TR]) {
            throw invalid(ext);
        }
        return (int) cpu.mmu.systemLoad(cpu.segments.base[Segments.TR] + offset, 2);
    }

    /// RSPn of the current 64-bit TSS.
    long innerStackLong(int level) {
        int offset = 4 + 8 * level;
        if (offset + 7 > cpu.segments.limit[Segments.TR]) {
            throw invalid(0);
        }
        return cpu.mmu.systemLoad(cpu.segments.base[Segments.TR] + offset, 8);
    }

    /// Whether the I/O permission bitmap allows all of the ports.
    public boolean allowsPorts(int port, int size) {
        long limit = cpu.segments.limit[Segments.TR];
        if ((cpu.segments.attributes[Segments.TR] & Segment.UNUSABLE) != 0 || !wide() || limit < 103) {
            return false;
        }
        long base = cpu.segments.base[Segments.TR];
        long map = cpu.mmu.systemLoad(base + 102, 2);
        long at = map + (port >>> 3);
        if (at + 1 > limit) {
            return false;
        }
        long bits = cpu.mmu.systemLoad(base + at, 2);
        return (bits >>> (port & 7) & (1 << size) - 1) == 0;
    }

    /// Whether virtual-8086 mode extensions handle software interrupt `vector` in the program itself: its bit in
    /// the redirection map, 32 bytes before the I/O map, is clear.
    public boolean redirectsInterrupt(int vector) {
        long limit = cpu.segments.limit[Segments.TR];
        if (!wide() || limit < 103) {
            return false;
        }
        long base = cpu.segments.base[Segments.TR];
        long at = cpu.mmu.systemLoad(base + 102, 2) - 32 + (vector >>> 3);
        return at >= 0 && at <= limit && (cpu.mmu.systemLoad(base + at, 1) >>> (vector & 7) & 1) == 0;
    }

    // ---------------------------------------------------------------- switches

    void jump(int selector) {
        start(selector, Reason.JUMP, 13);
    }

    void call(int selector) {
        start(selector, Reason.CALL, 13);
    }

    void jumpThroughGate(int selector) {
        start(selector, Reason.JUMP, 13);
    }

    void callThroughGate(int selector) {
        start(selector, Reason.CALL, 13);
    }

    /// An interrupt or exception through a task gate.
    ///
    /// @param flags RFLAGS as the old task keeps them
    void throughGate(int selector, long flags, int errorCode, int ext) {
        start(selector, Reason.INTERRUPT, flags, errorCode, 13, ext);
    }

    /// IRET with NT set.
    void back() {
        int selector = (int) cpu.mmu.systemLoad(cpu.segments.base[Segments.TR], 2);
        start(selector, Reason.RETURN, 10);
    }

    private void start(int selector, Reason reason, int vector) {
        start(selector, reason, cpu.rflags(), GuestFault.NO_ERROR_CODE, vector, 0);
    }

    private void start(int selector, Reason reason, long flags, int errorCode, int vector, int ext) {
        if ((selector & 4) != 0 || Segmentation.isNull(selector)) {
            throw cpu.segmentation.fault(vector, selector, ext);
        }
        long raw = cpu.segmentation.read(selector, vector, ext);
        int type = Descriptor.type(raw);
        boolean busy = (type & 2) != 0;
        boolean tss = !Descriptor.segment(raw) && (type & 5) == 1;
        if (!tss || busy != (reason == Reason.RETURN)) {
            throw cpu.segmentation.fault(vector, selector, ext);
        }
        if (!Descriptor.present(raw)) {
            throw cpu.segmentation.fault(11, selector, ext);
        }
        boolean wide = (type & 8) != 0;
        if (Descriptor.limit(raw) < (wide ? SIZE_32 : SIZE_16) - 1) {
            throw cpu.segmentation.fault(10, selector, ext);
        }
        long[] incoming = perform(selector, raw, wide, reason, (int) flags);
        try {
            load(incoming, wide, reason == Reason.CALL || reason == Reason.INTERRUPT);
            if (errorCode >= 0) {
                cpu.push(errorCode, wide ? 4 : 2);
            }
        } catch (GuestFault fault) {
            if (ext != 0) {
                throw fault;
            }
            // the new task's own, not one of the instruction that has switched
            cpu.interrupts.raise(fault);
            return;
        }
        if (wide && (cpu.mmu.systemLoad(cpu.segments.base[Segments.TR] + 100, 1) & 1) != 0) {
            cpu.debug.trap(Debug.TASK_SWITCH);
        }
        cpu.endBlock();
    }

    /// Leaves the old task; answers the state of the new one.
    private long[] perform(int selector, long raw, boolean wide, Reason reason, int flags) {
        long newBase = Descriptor.base(raw);
        int oldSelector = cpu.segments.selector[Segments.TR];
        // what can fault, first: both segments must be there
        cpu.mmu.systemCheckWrite(cpu.segments.base[Segments.TR], wide() ? SIZE_32 : SIZE_16);
        long[] incoming = read(newBase, wide);
        if (reason == Reason.CALL || reason == Reason.INTERRUPT) {
            cpu.mmu.systemCheckWrite(newBase, 2);
        }
        if (reason == Reason.JUMP || reason == Reason.RETURN) {
            setBusy(oldSelector, false);
        }
        saveOutgoing(reason == Reason.RETURN ? flags & ~Cpu.NT : flags);
        if (reason == Reason.CALL || reason == Reason.INTERRUPT) {
            cpu.mmu.systemStore(newBase, 2, oldSelector);
        }
        if (reason != Reason.RETURN) {
            setBusy(selector, true);
        }
        cpu.segments.set(Segments.TR, selector, newBase, Descriptor.limit(raw), Descriptor.attributes(raw) | 2);
        cpu.control.setTaskSwitched();
        cpu.debug.taskSwitched();
        return incoming;
    }

    private void setBusy(int selector, boolean busy) {
        long la = cpu.segmentation.descriptorAddress(selector, 8);
        if (la != -1) {
            long old = cpu.mmu.systemLoad(la + 5, 1);
            cpu.mmu.systemStore(la + 5, 1, busy ? old | 2 : old & ~2);
        }
    }

    private void saveOutgoing(int flags) {
        long base = cpu.segments.base[Segments.TR];
        if (wide()) {
            cpu.mmu.systemStore(base + 32, 4, cpu.rip);
            cpu.mmu.systemStore(base + 36, 4, flags);
            for (int i = 0; i < 8; i++) {
                cpu.mmu.systemStore(base + 40 + 4L * i, 4, cpu.r[i]);
            }
            for (int s = 0; s < 6; s++) {
                cpu.mmu.systemStore(base + 72 + 4L * s, 2, cpu.segments.selector[s]);
            }
        } else {
            cpu.mmu.systemStore(base + 14, 2, cpu.rip);
            cpu.mmu.systemStore(base + 16, 2, flags);
            for (int i = 0; i < 8; i++) {
                cpu.mmu.systemStore(base + 18 + 2L * i, 2, cpu.r[i]);
            }
            for (int s = 0; s < 4; s++) {
                cpu.mmu.systemStore(base + 34 + 2L * s, 2, cpu.segments.selector[s]);
            }
        }
    }

    /// Instruction pointer, flags, eight registers, six selectors, LDT selector, CR3.
    private long[] read(long base, boolean wide) {
        var v = new long[18];
        if (wide) {
            v[0] = cpu.mmu.systemLoad(base + 32, 4);
            v[1] = cpu.mmu.systemLoad(base + 36, 4);
            for (int i = 0; i < 8; i++) {
                v[2 + i] = cpu.mmu.systemLoad(base + 40 + 4L * i, 4);
            }
            for (int s = 0; s < 6; s++) {
                v[10 + s] = cpu.mmu.systemLoad(base + 72 + 4L * s, 2);
            }
            v[16] = cpu.mmu.systemLoad(base + 96, 2);
            v[17] = cpu.mmu.systemLoad(base + 28, 4);
        } else {
            v[0] = cpu.mmu.systemLoad(base + 14, 2);
            v[1] = cpu.mmu.systemLoad(base + 16, 2);
            for (int i = 0; i < 8; i++) {
                v[2 + i] = cpu.mmu.systemLoad(base + 18 + 2L * i, 2) | 0xFFFF_0000L;
            }
            for (int s = 0; s < 4; s++) {
                v[10 + s] = cpu.mmu.systemLoad(base + 34 + 2L * s, 2);
            }
            v[16] = cpu.mmu.systemLoad(base + 42, 2);
        }
        return v;
    }

    private void load(long[] v, boolean wide, boolean nested) {
        cpu.rip = v[0];
        if (wide && cpu.paging()) {
            cpu.control.setCr3(v[17]);
        }
        long image = v[1] | (nested ? Cpu.NT : 0);
        cpu.flags.unpack((int) image);
        cpu.systemFlags = (int) image & Cpu.SYSTEM_FLAGS;
        System.arraycopy(v, 2, cpu.r, 0, 8);
        // from here on faults belong to the new task, whose selectors are in place though not usable yet
        boolean virtual = (image & Cpu.VM) != 0;
        for (int s = 0; s < 6; s++) {
            int selector = (int) v[10 + s];
            if (virtual) {
                cpu.segments.setVirtual8086(s, selector);
            } else {
                cpu.segments.set(s, selector, 0, 0, Segment.UNUSABLE);
            }
        }
        cpu.cpl = virtual ? 3 : (int) v[10 + Segments.CS] & 3;
        if (virtual) {
            cpu.segments.attributes[Segments.CS] |= 8;
        }
        cpu.updateMode();
        loadLdt((int) v[16]);
        if (!virtual) {
            loadSegments(v);
        }
        if (cpu.rip > cpu.segments.limit[Segments.CS]) {
            throw cpu.gp(0);
        }
    }

    private void loadLdt(int selector) {
        cpu.segments.set(Segments.LDTR, selector, 0, 0, Segment.UNUSABLE);
        if (Segmentation.isNull(selector)) {
            return;
        }
        if ((selector & 4) != 0) {
            throw cpu.segmentation.fault(10, selector, 0);
        }
        long raw = cpu.segmentation.read(selector, 10, 0);
        if (Descriptor.segment(raw) || Descriptor.type(raw) != Descriptor.LDT || !Descriptor.present(raw)) {
            throw cpu.segmentation.fault(10, selector, 0);
        }
        cpu.segmentation.setFrom(Segments.LDTR, selector, raw);
    }

    private void loadSegments(long[] v) {
        int cs = (int) v[10 + Segments.CS];
        if (Segmentation.isNull(cs)) {
            throw cpu.segmentation.fault(10, cs, 0);
        }
        long code = cpu.segmentation.read(cs, 10, 0);
        int level = cs & 3;
        boolean allowed = Descriptor.segment(code)
                && Descriptor.code(code)
                && (Descriptor.conforming(code) ? Descriptor.dpl(code) <= level : Descriptor.dpl(code) == level);
        if (!allowed) {
            throw cpu.segmentation.fault(10, cs, 0);
        }
        if (!Descriptor.present(code)) {
            throw cpu.segmentation.fault(11, cs, 0);
        }
        cpu.segmentation.setFrom(Segments.CS, cs, cpu.segmentation.access(cs, code));
        cpu.segmentation.loadStack((int) v[10 + Segments.SS], level, 10, 0);
        cpu.updateMode();
        for (int s : new int[] {Segments.ES, Segments.DS, Segments.FS, Segments.GS}) {
            int selector = (int) v[10 + s];
            if (Segmentation.isNull(selector)) {
                cpu.segments.setNull(s, selector);
                continue;
            }
            long raw = cpu.segmentation.read(selector, 10, 0);
            cpu.segmentation.checkData(selector, raw, level, 10, 0);
            if (!Descriptor.present(raw)) {
                throw cpu.segmentation.fault(11, selector, 0);
            }
            cpu.segmentation.setFrom(s, selector, cpu.segmentation.access(selector, raw));
        }
    }
}
