package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Segment;

/// Transfers of control that change CS: far JMP, CALL, RET and IRET with their gates and privilege levels, and the
/// fast system calls.
///
/// The operations set [Cpu#rip] to the next instruction before they call these, and end their block.
///
/// Source: Intel SDM volume 2, CALL, JMP, RET, IRET, SYSCALL, SYSRET, SYSENTER, SYSEXIT; volume 3, 5.8.
public final class FarTransfers {
    private static final int FLAT_CODE = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY;
    private static final int FLAT_DATA = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
    private static final int USER_DPL = 3 << 5;

    private final Cpu cpu;

    FarTransfers(Cpu cpu) {
        this.cpu = cpu;
    }

    // ---------------------------------------------------------------- JMP

    /// @param size of the offset: 2, 4 or 8
    public void jump(int selector, long offset, int size) {
        if (!cpu.protectedMode()) {
            jumpReal(selector, cut(offset, size));
            return;
        }
        if (Segmentation.isNull(selector)) {
            throw cpu.gp(0);
        }
        long raw = cpu.segmentation.read(selector, 13, 0);
        if (Descriptor.segment(raw)) {
            checkDirect(selector, raw);
            enterCode(selector, raw, cut(offset, size), cpu.cpl);
            return;
        }
        switch (gateKind(selector, raw)) {
            case Descriptor.TASK_GATE -> cpu.tasks.jumpThroughGate(Descriptor.gateSelector(raw));
            case Descriptor.TSS32_AVAILABLE -> cpu.tasks.jump(selector);
            default -> jumpGate(selector, raw);
        }
    }

    private void jumpReal(int selector, long offset) {
        if (offset > cpu.segments.limit(Segments.CS)) {
            throw cpu.gp(0);
        }
        loadCodeReal(selector);
        cpu.rip = offset;
        cpu.updateMode();
    }

    private void loadCodeReal(int selector) {
        if (cpu.virtual8086()) {
            cpu.segments.setVirtual8086(Segments.CS, selector);
        } else {
            cpu.segments.setReal(Segments.CS, selector);
        }
        cpu.segments.attributes[Segments.CS] |= 8;
    }

    private static long cut(long offset, int size) {
        return switch (size) {
            case 2 -> offset & 0xFFFF;
            case 4 -> offset & 0xFFFF_FFFFL;
            default -> offset;
        };
    }

    /// Privilege and presence of a code segment reached without a gate.
    private void checkDirect(int selector, long raw) {
        if (!Descriptor.code(raw)) {
            throw cpu.segmentation.fault(13, selector, 0);
        }
        boolean allowed = Descriptor.conforming(raw)
                ? Descriptor.dpl(raw) <= cpu.cpl
                : (selector & 3) <= cpu.cpl && Descriptor.dpl(raw) == cpu.cpl;
        if (!allowed || cpu.longModeActive() && Descriptor.long64(raw) && Descriptor.big(raw)) {
            throw cpu.segmentation.fault(13, selector, 0);
        }
        if (!Descriptor.present(raw)) {
            throw cpu.segmentation.fault(11, selector, 0);
        }
    }

    private boolean becomesLong(long raw) {
        return cpu.longModeActive() && Descriptor.long64(raw);
    }

    /// Whether `offset` lies in the code segment that `raw` describes.
    private void checkTarget(long raw, long offset) {
        if (becomesLong(raw) ? !cpu.isCanonical(offset) : (offset & 0xFFFF_FFFFL) > Descriptor.limit(raw)) {
            throw cpu.gp(0);
        }
    }

    private void enterCode(int selector, long raw, long offset, int level) {
        checkTarget(raw, offset);
        long accessed = cpu.segmentation.access(selector, raw);
        cpu.segmentation.setFrom(Segments.CS, selector & 0xFFFC | level, accessed);
        cpu.cpl = level;
        cpu.rip = becomesLong(raw) ? offset : offset & 0xFFFF_FFFFL;
        cpu.updateMode();
    }

    /// Checks a system descriptor as the target of a far transfer; the two TSS types become one.
    private int gateKind(int selector, long raw) {
        int type = Descriptor.type(raw);
        boolean known = switch (type) {
            case Descriptor.CALL_GATE32 -> true;
            case Descriptor.CALL_GATE16, Descriptor.TASK_GATE, Descriptor.TSS16_AVAILABLE, Descriptor.TSS32_AVAILABLE ->
                !cpu.longModeActive();
            default -> false;
        };
        if (!known || Descriptor.dpl(raw) < cpu.cpl || Descriptor.dpl(raw) < (selector & 3)) {
            throw cpu.segmentation.fault(13, selector, 0);
        }
        if (!Descriptor.present(raw)) {
            throw cpu.segmentation.fault(11, selector, 0);
        }
        return type == Descriptor.TSS16_AVAILABLE ? Descriptor.TSS32_AVAILABLE : type;
    }

    /// The code descriptor behind a call gate.
    private long gateTarget(int codeSelector) {
        if (Segmentation.isNull(codeSelector)) {
            throw cpu.gp(0);
        }
        long code = cpu.segmentation.read(codeSelector, 13, 0);
        if (!Descriptor.segment(code)
                || !Descriptor.code(code)
                || Descriptor.dpl(code) > cpu.cpl
                || cpu.longModeActive() && (!Descriptor.long64(code) || Descriptor.big(code))) {
            throw cpu.segmentation.fault(13, codeSelector, 0);
        }
        if (!Descriptor.present(code)) {
            throw cpu.segmentation.fault(11, codeSelector, 0);
        }
        return code;
    }

    private long gateOffset(int selector, long raw) {
        if (cpu.longModeActive()) {
            long la = cpu.segmentation.descriptorAddress(selector, 16);
            if (la == -1) {
                throw cpu.segmentation.fault(13, selector, 0);
            }
            long upper = cpu.mmu.systemLoad(la + 8, 8);
            if ((upper >>> 40 & 0x1F) != 0) {
                throw cpu.segmentation.fault(13, selector, 0);
            }
            return Descriptor.gateOffset(raw) | upper << 32;
        }
        return Descriptor.type(raw) == Descriptor.CALL_GATE16 ? raw & 0xFFFF : Descriptor.gateOffset(raw);
    }

    private void jumpGate(int selector, long raw) {
        int codeSelector = Descriptor.gateSelector(raw);
        long offset = gateOffset(selector, raw);
        long code = gateTarget(codeSelector);
        if (!Descriptor.conforming(code) && Descriptor.dpl(code) != cpu.cpl) {
            throw cpu.segmentation.fault(13, codeSelector, 0);
        }
        enterCode(codeSelector, code, offset, cpu.cpl);
    }

    // ---------------------------------------------------------------- CALL

    /// @param size operand size: 2, 4 or 8
    public void call(int selector, long offset, int size) {
        long target = cut(offset, size);
        if (!cpu.protectedMode()) {
            if (target > cpu.segments.limit(Segments.CS)) {
                throw cpu.gp(0);
            }
            pushReturn(size);
            loadCodeReal(selector);
            cpu.rip = target;
            cpu.updateMode();
            return;
        }
        if (Segmentation.isNull(selector)) {
            throw cpu.gp(0);
        }
        long raw = cpu.segmentation.read(selector, 13, 0);
        if (Descriptor.segment(raw)) {
            checkDirect(selector, raw);
            checkTarget(raw, target);
            pushReturn(size);
            enterCode(selector, raw, target, cpu.cpl);
            return;
        }
        switch (gateKind(selector, raw)) {
            case Descriptor.TASK_GATE -> cpu.tasks.callThroughGate(Descriptor.gateSelector(raw));
            case Descriptor.TSS32_AVAILABLE -> cpu.tasks.call(selector);
            default -> callGate(selector, raw);
        }
    }

    private void pushReturn(int size) {
        long sp = cpu.r[Cpu.RSP];
        long first = cpu.stackLinear(sp - size, size, true);
        long second = cpu.stackLinear(sp - 2L * size, size, true);
        cpu.mmu.checkWrite(second, size);
        cpu.mmu.checkWrite(first, size);
        cpu.mmu.store(first, size, cpu.segments.selector(Segments.CS));
        cpu.mmu.store(second, size, cpu.rip);
        cpu.setSp(sp - 2L * size);
    }

    private void callGate(int selector, long raw) {
        int codeSelector = Descriptor.gateSelector(raw);
        long offset = gateOffset(selector, raw);
        long code = gateTarget(codeSelector);
        checkTarget(code, offset);
        int level = Descriptor.conforming(code) ? cpu.cpl : Descriptor.dpl(code);
        if (cpu.longModeActive()) {
            callGateLong(codeSelector, code, offset, level);
            return;
        }
        int size = Descriptor.type(raw) == Descriptor.CALL_GATE32 ? 4 : 2;
        if (level == cpu.cpl) {
            pushReturn(size);
            enterCode(codeSelector, code, offset, level);
            return;
        }
        int parameters = (int) (raw >>> 32) & 31;
        long pointer = cpu.tasks.innerStackPointer(level, 0);
        int stackSelector = cpu.tasks.innerStackSelector(level, 0);
        if (Segmentation.isNull(stackSelector)) {
            throw cpu.ts(0);
        }
        long stack = cpu.segmentation.checkStack(stackSelector, level, 10, 0);
        var frame = new StackFrame(cpu, stack, pointer, size, stackSelector & 0xFFFC);
        frame.push(cpu.segments.selector(Segments.SS));
        frame.push(cpu.r[Cpu.RSP]);
        long sp = cpu.sp();
        for (int i = parameters - 1; i >= 0; i--) {
            frame.push(cpu.mmu.load(cpu.stackLinear(sp + (long) i * size, size, false), size));
        }
        frame.push(cpu.segments.selector(Segments.CS));
        frame.push(cpu.rip);
        frame.commit();
        stack = cpu.segmentation.access(stackSelector, stack);
        cpu.segmentation.setFrom(Segments.SS, stackSelector, stack);
        long mask = Descriptor.big(stack) ? 0xFFFF_FFFFL : 0xFFFF;
        cpu.r[Cpu.RSP] = cpu.r[Cpu.RSP] & ~mask & 0xFFFF_FFFFL | frame.pointer() & mask;
        enterCode(codeSelector, code, offset, level);
    }

    private void callGateLong(int codeSelector, long code, long offset, int level) {
        boolean inner = level < cpu.cpl;
        long top = inner ? cpu.tasks.innerStackLong(level) : cpu.r[Cpu.RSP];
        int words = inner ? 4 : 2;
        long bottom = top - 8L * words;
        if (!cpu.isCanonical(top) || !cpu.isCanonical(bottom)) {
            throw cpu.ss(0);
        }
        int context = inner ? cpu.mmu.tlb.enterSystem() : -1;
        try {
            cpu.mmu.checkWrite(bottom, 8 * words);
            if (inner) {
                cpu.mmu.store64(top - 8, cpu.segments.selector(Segments.SS));
                cpu.mmu.store64(top - 16, cpu.r[Cpu.RSP]);
            }
            cpu.mmu.store64(bottom + 8, cpu.segments.selector(Segments.CS));
            cpu.mmu.store64(bottom, cpu.rip);
        } finally {
            if (inner) {
                cpu.mmu.tlb.leaveSystem(context);
            }
        }
        cpu.r[Cpu.RSP] = bottom;
        if (inner) {
            cpu.segments.setNull(Segments.SS, level);
        }
        enterCode(codeSelector, code, offset, level);
    }

    // ---------------------------------------------------------------- RET

    /// @param size  operand size: 2, 4 or 8
    /// @param extra bytes of parameters to drop
    public void ret(int size, int extra) {
        long sp = cpu.r[Cpu.RSP];
        long offset = cpu.mmu.load(cpu.stackLinear(sp, size, false), size);
        int selector = (int) cpu.mmu.load(cpu.stackLinear(sp + size, size, false), size) & 0xFFFF;
        if (!cpu.protectedMode()) {
            if (offset > cpu.segments.limit(Segments.CS)) {
                throw cpu.gp(0);
            }
            cpu.setSp(sp + 2L * size + extra);
            loadCodeReal(selector);
            cpu.rip = offset;
            cpu.updateMode();
            return;
        }
        long raw = checkReturn(selector);
        int level = selector & 3;
        checkTarget(raw, offset);
        if (level == cpu.cpl) {
            cpu.setSp(sp + 2L * size + extra);
            enterCode(selector, raw, offset, level);
            return;
        }
        long outer = sp + 2L * size + extra;
        long newSp = cpu.mmu.load(cpu.stackLinear(outer, size, false), size);
        int newSs = (int) cpu.mmu.load(cpu.stackLinear(outer + size, size, false), size) & 0xFFFF;
        toOuter(selector, raw, offset, level, newSs, newSp, extra);
    }

    /// The descriptor that a far return or IRET goes back to.
    private long checkReturn(int selector) {
        if (Segmentation.isNull(selector)) {
            throw cpu.gp(0);
        }
        long raw = cpu.segmentation.read(selector, 13, 0);
        int level = selector & 3;
        boolean allowed = Descriptor.segment(raw)
                && Descriptor.code(raw)
                && level >= cpu.cpl
                && (Descriptor.conforming(raw) ? Descriptor.dpl(raw) <= level : Descriptor.dpl(raw) == level)
                && !(cpu.longModeActive() && Descriptor.long64(raw) && Descriptor.big(raw));
        if (!allowed) {
            throw cpu.segmentation.fault(13, selector, 0);
        }
        if (!Descriptor.present(raw)) {
            throw cpu.segmentation.fault(11, selector, 0);
        }
        return raw;
    }

    private void toOuter(int selector, long raw, long offset, int level, int newSs, long newSp, int extra) {
        boolean toLong = becomesLong(raw);
        long stack = 0;
        if (Segmentation.isNull(newSs)) {
            if (!toLong || level == 3 || (newSs & 3) != level) {
                throw cpu.gp(0);
            }
        } else {
            stack = cpu.segmentation.checkStack(newSs, level, 13, 0);
            stack = cpu.segmentation.access(newSs, stack);
        }
        enterCode(selector, raw, offset, level);
        if (stack == 0) {
            cpu.segments.setNull(Segments.SS, newSs);
        } else {
            cpu.segmentation.setFrom(Segments.SS, newSs, stack);
        }
        cpu.segmentation.dropInner(level);
        cpu.updateMode();
        if (toLong) {
            cpu.r[Cpu.RSP] = newSp + extra;
        } else {
            cpu.setSp(newSp + extra);
        }
    }

    // ---------------------------------------------------------------- IRET

    /// @param size operand size: 2, 4 or 8
    public void iret(int size) {
        if (cpu.realMode()) {
            iretReal(size, Cpu.IOPL | Cpu.IF);
        } else if (cpu.virtual8086()) {
            iretVirtual(size);
        } else if ((cpu.systemFlags & Cpu.NT) != 0) {
            if (cpu.longModeActive()) {
                throw cpu.gp(0);
            }
            cpu.tasks.back();
        } else {
            iretProtected(size);
        }
        cpu.interrupts.unblockNmi();
    }

    private void iretReal(int size, int mayChange) {
        long sp = cpu.r[Cpu.RSP];
        long offset = cpu.mmu.load(cpu.stackLinear(sp, size, false), size);
        int selector = (int) cpu.mmu.load(cpu.stackLinear(sp + size, size, false), size) & 0xFFFF;
        long image = cpu.mmu.load(cpu.stackLinear(sp + 2L * size, size, false), size);
        if (offset > cpu.segments.limit(Segments.CS)) {
            throw cpu.gp(0);
        }
        cpu.setSp(sp + 3L * size);
        loadCodeReal(selector);
        cpu.rip = offset;
        loadFlags(image, size, mayChange);
        cpu.updateMode();
    }

    private void iretVirtual(int size) {
        if (cpu.iopl() == 3) {
            iretReal(size, Cpu.IF);
            return;
        }
        if ((cpu.control.cr4() & Control.VME) == 0 || size != 2) {
            throw cpu.gp(0);
        }
        long sp = cpu.r[Cpu.RSP];
        long image = cpu.mmu.load(cpu.stackLinear(sp + 4, 2, false), 2);
        boolean enable = (image & Cpu.IF) != 0;
        if (enable && (cpu.systemFlags & Cpu.VIP) != 0 || (image & Cpu.TF) != 0) {
            throw cpu.gp(0);
        }
        iretReal(2, 0);
        cpu.setSystemFlags(enable ? cpu.systemFlags | Cpu.VIF : cpu.systemFlags & ~Cpu.VIF);
    }

    private void iretProtected(int size) {
        long sp = cpu.r[Cpu.RSP];
        long offset = cpu.mmu.load(cpu.stackLinear(sp, size, false), size);
        int selector = (int) cpu.mmu.load(cpu.stackLinear(sp + size, size, false), size) & 0xFFFF;
        long image = cpu.mmu.load(cpu.stackLinear(sp + 2L * size, size, false), size);
        if (size == 4 && (image & Cpu.VM) != 0 && cpu.cpl == 0 && !cpu.longModeActive()) {
            toVirtual(sp, offset, selector, image);
            return;
        }
        long raw = checkReturn(selector);
        int level = selector & 3;
        checkTarget(raw, offset);
        int mayChange = cpu.cpl == 0 ? Cpu.IOPL | Cpu.IF : cpu.cpl <= cpu.iopl() ? Cpu.IF : 0;
        boolean fullFrame = cpu.longMode64();
        if (level == cpu.cpl && !fullFrame) {
            cpu.setSp(sp + 3L * size);
            enterCode(selector, raw, offset, level);
            loadFlags(image, size, mayChange);
            return;
        }
        long newSp = cpu.mmu.load(cpu.stackLinear(sp + 3L * size, size, false), size);
        int newSs = (int) cpu.mmu.load(cpu.stackLinear(sp + 4L * size, size, false), size) & 0xFFFF;
        if (level == cpu.cpl) {
            sameLevelLong(selector, raw, offset, level, newSs, newSp);
        } else {
            toOuter(selector, raw, offset, level, newSs, newSp, 0);
        }
        loadFlags(image, size, mayChange);
    }

    /// IRET in 64-bit mode pops SS:RSP at an unchanged level too.
    private void sameLevelLong(int selector, long raw, long offset, int level, int newSs, long newSp) {
        boolean toLong = becomesLong(raw);
        long stack = 0;
        if (Segmentation.isNull(newSs)) {
            if (!toLong || level == 3 || (newSs & 3) != level) {
                throw cpu.gp(0);
            }
        } else {
            stack = cpu.segmentation.checkStack(newSs, level, 13, 0);
            stack = cpu.segmentation.access(newSs, stack);
        }
        enterCode(selector, raw, offset, level);
        if (stack == 0) {
            cpu.segments.setNull(Segments.SS, newSs);
        } else {
            cpu.segmentation.setFrom(Segments.SS, newSs, stack);
        }
        cpu.updateMode();
        if (toLong) {
            cpu.r[Cpu.RSP] = newSp;
        } else {
            cpu.setSp(newSp);
        }
    }

    private void toVirtual(long sp, long offset, int selector, long image) {
        long[] more = new long[6];
        for (int i = 0; i < 6; i++) {
            more[i] = cpu.mmu.load(cpu.stackLinear(sp + 12 + 4L * i, 4, false), 4);
        }
        if (offset > 0xFFFF) {
            throw cpu.gp(0);
        }
        cpu.flags.unpack((int) image);
        cpu.systemFlags = (int) image & Cpu.SYSTEM_FLAGS;
        cpu.cpl = 3;
        cpu.segments.setVirtual8086(Segments.CS, selector);
        cpu.segments.attributes[Segments.CS] |= 8;
        cpu.segments.setVirtual8086(Segments.SS, (int) more[1] & 0xFFFF);
        cpu.segments.setVirtual8086(Segments.ES, (int) more[2] & 0xFFFF);
        cpu.segments.setVirtual8086(Segments.DS, (int) more[3] & 0xFFFF);
        cpu.segments.setVirtual8086(Segments.FS, (int) more[4] & 0xFFFF);
        cpu.segments.setVirtual8086(Segments.GS, (int) more[5] & 0xFFFF);
        cpu.r[Cpu.RSP] = more[0];
        cpu.rip = offset;
        cpu.updateMode();
    }

    /// RFLAGS from an IRET image: IOPL and IF as `mayChange` says, VIF and VIP with IOPL in protected mode, VM
    /// never.
    private void loadFlags(long image, int size, int mayChange) {
        int allowed = Cpu.TF | Cpu.DF | Cpu.NT | mayChange;
        if (size != 2) {
            allowed |= Cpu.RF | Cpu.AC | Cpu.ID;
            if ((mayChange & Cpu.IOPL) != 0 && cpu.protectedMode()) {
                allowed |= Cpu.VIF | Cpu.VIP;
            }
        }
        cpu.flags.unpack((int) image);
        cpu.setSystemFlags(cpu.systemFlags & ~allowed | (int) image & allowed);
    }

    // ---------------------------------------------------------------- fast system calls

    /// SYSCALL.
    public void syscall() {
        if ((cpu.control.efer() & Control.EFER_SCE) == 0 || !cpu.protectedMode()) {
            throw cpu.ud();
        }
        boolean long64 = cpu.longMode64();
        if (!long64 && cpu.msrs.isIntel()) {
            throw cpu.ud();
        }
        int selector = (int) (cpu.msrs.star() >>> 32) & 0xFFFF;
        boolean active = cpu.longModeActive();
        if (active) {
            cpu.r[Cpu.RCX] = cpu.rip;
            cpu.r[11] = cpu.rflags() & ~Cpu.RF;
            cpu.rip = long64 ? cpu.msrs.lstar() : cpu.msrs.cstar();
            int mask = (int) cpu.msrs.fmask();
            cpu.flags.unpack(cpu.flags.pack() & ~mask);
            cpu.systemFlags &= ~mask & ~Cpu.RF;
        } else {
            cpu.r[Cpu.RCX] = cpu.rip & 0xFFFF_FFFFL;
            cpu.rip = cpu.msrs.star() & 0xFFFF_FFFFL;
            cpu.systemFlags &= ~(Cpu.VM | Cpu.IF | Cpu.RF);
        }
        enterFlat(selector & 0xFFFC, 0, active, selector + 8 & 0xFFFC);
    }

    /// SYSRET.
    ///
    /// @param size 8 to return to 64-bit code, else 4
    public void sysret(int size) {
        if ((cpu.control.efer() & Control.EFER_SCE) == 0 || !cpu.protectedMode()) {
            throw cpu.ud();
        }
        if (cpu.cpl != 0) {
            throw cpu.gp(0);
        }
        int base = (int) (cpu.msrs.star() >>> 48) & 0xFFFF;
        if (cpu.longModeActive()) {
            if (size == 8 && !cpu.isCanonical(cpu.r[Cpu.RCX])) {
                throw cpu.gp(0);
            }
            long image = cpu.r[11];
            cpu.flags.unpack((int) image);
            cpu.systemFlags = (int) image & Cpu.SYSTEM_FLAGS & ~(Cpu.RF | Cpu.VM);
            cpu.rip = size == 8 ? cpu.r[Cpu.RCX] : cpu.r[Cpu.RCX] & 0xFFFF_FFFFL;
        } else {
            cpu.systemFlags |= Cpu.IF;
            cpu.rip = cpu.r[Cpu.RCX] & 0xFFFF_FFFFL;
        }
        enterFlat((size == 8 ? base + 16 : base) | 3, 3, size == 8, base + 8 | 3);
    }

    /// SYSENTER.
    public void sysenter() {
        boolean active = cpu.longModeActive();
        if (active && cpu.msrs.isAmd()) {
            throw cpu.ud();
        }
        int selector = (int) cpu.msrs.sysenterCs() & 0xFFFC;
        if (!cpu.protectedMode() && !cpu.virtual8086() || selector == 0) {
            throw cpu.gp(0);
        }
        cpu.systemFlags &= ~(Cpu.VM | Cpu.IF | Cpu.RF);
        cpu.r[Cpu.RSP] = active ? cpu.msrs.sysenterEsp() : cpu.msrs.sysenterEsp() & 0xFFFF_FFFFL;
        cpu.rip = active ? cpu.msrs.sysenterEip() : cpu.msrs.sysenterEip() & 0xFFFF_FFFFL;
        enterFlat(selector, 0, active, selector + 8);
    }

    /// SYSEXIT.
    ///
    /// @param size 8 to return to 64-bit code, else 4
    public void sysexit(int size) {
        int selector = (int) cpu.msrs.sysenterCs() & 0xFFFC;
        if (!cpu.protectedMode() || cpu.cpl != 0 || selector == 0) {
            throw cpu.gp(0);
        }
        boolean to64 = size == 8;
        if (to64 && (!cpu.isCanonical(cpu.r[Cpu.RDX]) || !cpu.isCanonical(cpu.r[Cpu.RCX]))) {
            throw cpu.gp(0);
        }
        long mask = to64 ? -1L : 0xFFFF_FFFFL;
        cpu.r[Cpu.RSP] = cpu.r[Cpu.RCX] & mask;
        cpu.rip = cpu.r[Cpu.RDX] & mask;
        enterFlat(selector + (to64 ? 32 : 16) | 3, 3, to64, selector + (to64 ? 40 : 24) | 3);
    }

    private void enterFlat(int codeSelector, int level, boolean to64, int stackSelector) {
        int dpl = level == 0 ? 0 : USER_DPL;
        int width = to64 ? Segment.LONG : Segment.BIG;
        cpu.segments.set(Segments.CS, codeSelector, 0, 0xFFFF_FFFFL, FLAT_CODE | width | dpl);
        cpu.segments.set(Segments.SS, stackSelector, 0, 0xFFFF_FFFFL, FLAT_DATA | dpl);
        cpu.cpl = level;
        cpu.updateMode();
    }
}
