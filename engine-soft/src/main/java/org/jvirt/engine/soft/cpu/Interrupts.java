package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Activity;

/// Delivery of exceptions and interrupts in all modes, with double and triple fault.
///
/// [Cpu#rip] is what will be pushed: the faulting instruction for a fault, the next one for the rest.
///
/// Source: Intel SDM volume 3, chapter 6; volume 2, INT n.
public final class Interrupts {
    private static final int DEBUG = 1;
    private static final int NMI_VECTOR = 2;
    private static final int DOUBLE_FAULT = 8;
    private static final int PAGE_FAULT = 14;

    /// Where an event comes from; it decides about the gate's DPL, the EXT bit and RF.
    enum Source {
        /// INT n, INT3, INTO.
        SOFTWARE,
        /// INT1, NMI, external interrupts.
        HARDWARE,
        EXCEPTION
    }

    private final Cpu cpu;
    /// How many NMIs wait: one, or a second one while none is being handled. A processor looks for NMIs between
    /// blocks and not between instructions, and of two that arrive within a block the first would have been taken
    /// at once.
    private int nmisPending;
    private boolean nmiBlocked;
    /// An interrupt controller has reported something that has not been looked at since.
    private boolean interruptReported;
    /// How many events have been delivered.
    private long delivered;

    Interrupts(Cpu cpu) {
        this.cpu = cpu;
    }

    // ---------------------------------------------------------------- what waits

    void reset() {
        nmisPending = 0;
        nmiBlocked = false;
        interruptReported = true;
    }

    boolean nmiPending() {
        return nmisPending > 0;
    }

    boolean nmiBlocked() {
        return nmiBlocked;
    }

    void setNmi(boolean pending, boolean blocked) {
        nmisPending = pending ? 1 : 0;
        nmiBlocked = blocked;
    }

    /// NMIs have arrived.
    void nmi() {
        nmisPending = Math.min(nmisPending + cpu.signals.takeNmis(), nmiBlocked ? 1 : 2);
    }

    void reported() {
        interruptReported = true;
    }

    /// Whether an external interrupt may be waiting for IF.
    public boolean mayWait() {
        return interruptReported;
    }

    /// IRET ends the blocking of NMIs.
    void unblockNmi() {
        if (nmiBlocked) {
            // those that arrived during the handler count as one
            nmi();
            nmiBlocked = false;
            cpu.endBlock();
        }
    }

    /// Whether a halted processor has a reason to go on.
    boolean wakes() {
        if (interruptReported) {
            cpu.paravirtual.settleEndOfInterrupt();
        }
        return nmisPending > 0 && !nmiBlocked
                || interruptReported
                        && cpu.interruptsEnabled()
                        && cpu.processors().local(cpu.index()).pending();
    }

    /// Delivers an NMI or an external interrupt if one waits and may be taken now. A shadow has been looked at
    /// before.
    void takeExternal() {
        if (nmisPending > 0 && !nmiBlocked) {
            nmisPending--;
            nmiBlocked = true;
            cpu.activity = Activity.RUNNING;
            event(NMI_VECTOR, GuestFault.NO_ERROR_CODE, 0, Source.HARDWARE);
            return;
        }
        if (interruptReported && cpu.interruptsEnabled()) {
            cpu.paravirtual.settleEndOfInterrupt();
            var local = cpu.processors().local(cpu.index());
            if (!local.pending()) {
                interruptReported = false;
                return;
            }
            int vector = local.acknowledge();
            if (vector >= 0) {
                cpu.paravirtual.interruptTaken(vector);
                cpu.activity = Activity.RUNNING;
                event(vector, GuestFault.NO_ERROR_CODE, 0, Source.HARDWARE);
            }
        }
    }

    // ---------------------------------------------------------------- events

    /// Delivers a fault that an operation has thrown.
    public void raise(GuestFault fault) {
        event(fault.vector, fault.errorCode, fault.payload, Source.EXCEPTION);
    }

    /// Delivers debug traps: `bits` go to DR6.
    void debugTrap(long bits) {
        event(DEBUG, GuestFault.NO_ERROR_CODE, bits, Source.HARDWARE);
    }

    /// INT n, INT3 and INTO, once their own checks have passed; [Cpu#rip] is the next instruction.
    ///
    /// @throws GuestFault as an ordinary fault of the instruction
    public void software(int vector) {
        deliver(vector, GuestFault.NO_ERROR_CODE, Source.SOFTWARE);
    }

    /// INT1: a trap that ignores the gate's DPL. One that a load of SS has held back is part of it.
    public void icebp() {
        cpu.debug.delivered(cpu.debug.takeMet());
        deliver(DEBUG, GuestFault.NO_ERROR_CODE, Source.HARDWARE);
    }

    /// Delivers an event whose delivery had been begun when the state was saved.
    void redeliver(int vector, int errorCode) {
        event(vector, errorCode, cpu.control.cr2(), vector < 32 ? Source.EXCEPTION : Source.HARDWARE);
    }

    private void event(int firstVector, int firstCode, long payload, Source firstSource) {
        int vector = firstVector;
        int code = firstCode;
        long detail = payload;
        Source source = firstSource;
        while (true) {
            if (vector == PAGE_FAULT && source == Source.EXCEPTION) {
                cpu.control.setCr2(detail);
            } else if (vector == DEBUG && source != Source.SOFTWARE) {
                cpu.debug.delivered(detail);
            }
            try {
                deliver(vector, code, source);
                return;
            } catch (GuestFault second) {
                if (vector == DOUBLE_FAULT && source == Source.EXCEPTION) {
                    cpu.activity = Activity.SHUTDOWN;
                    cpu.endBlock();
                    return;
                }
                if (second.vector == PAGE_FAULT) {
                    cpu.control.setCr2(second.payload);
                }
                boolean first = source == Source.EXCEPTION && (isContributory(vector) || vector == PAGE_FAULT);
                boolean doubled =
                        first && (isContributory(second.vector) || second.vector == PAGE_FAULT && vector == PAGE_FAULT);
                vector = doubled ? DOUBLE_FAULT : second.vector;
                code = doubled ? 0 : second.errorCode;
                detail = doubled ? 0 : second.payload;
                source = Source.EXCEPTION;
            }
        }
    }

    private static boolean isContributory(int vector) {
        return vector == 0 || vector >= 10 && vector <= 13;
    }

    private void deliver(int vector, int errorCode, Source source) {
        if (cpu.realMode()) {
            deliverReal(vector);
        } else if (cpu.longModeActive()) {
            deliverLong(vector, errorCode, source);
        } else {
            deliverProtected(vector, errorCode, source);
        }
        delivered++;
        cpu.shadow = Cpu.Shadow.NONE;
        cpu.endBlock();
    }

    long delivered() {
        return delivered;
    }

    /// Interrupts pass through the vector table of real mode; virtual-8086 mode extensions use this too.
    void deliverReal(int vector) {
        if (vector * 4 + 3 > cpu.idtLimit) {
            throw cpu.gp(vector * 8 + 2);
        }
        long entry = cpu.mmu.systemLoad(cpu.idtBase + vector * 4L, 4);
        push16(cpu.rflags());
        cpu.setSystemFlags(cpu.systemFlags() & ~(Cpu.IF | Cpu.TF | Cpu.AC | Cpu.RF));
        int selector = (int) (entry >>> 16) & 0xFFFF;
        cpu.segments.setReal(Segments.CS, selector);
        cpu.segments.attributes[Segments.CS] |= 8;
        cpu.rip = entry & 0xFFFF;
        cpu.updateMode();
    }

    /// INT n in virtual-8086 mode that the program's own vector table at linear 0 handles.
    public void redirected(int vector) {
        long entry = cpu.mmu.load32(vector * 4L) & 0xFFFF_FFFFL;
        boolean virtual = cpu.iopl() < 3;
        long image = cpu.rflags();
        if (virtual) {
            image = image & ~Cpu.IF | Cpu.IOPL | ((image & Cpu.VIF) != 0 ? Cpu.IF : 0);
        }
        push16(image);
        int cleared = Cpu.TF | Cpu.NT | (virtual ? Cpu.VIF : Cpu.IF);
        cpu.setSystemFlags(cpu.systemFlags() & ~cleared);
        cpu.segments.setVirtual8086(Segments.CS, (int) (entry >>> 16) & 0xFFFF);
        cpu.segments.attributes[Segments.CS] |= 8;
        cpu.rip = entry & 0xFFFF;
        delivered++;
        cpu.updateMode();
    }

    private void push16(long flags) {
        long sp = cpu.sp();
        long rip = cpu.rip;
        long la1 = cpu.stackLinear(sp - 2, 2, true);
        long la2 = cpu.stackLinear(sp - 4, 2, true);
        long la3 = cpu.stackLinear(sp - 6, 2, true);
        cpu.mmu.checkWrite(la3, 2);
        cpu.mmu.checkWrite(la1, 2);
        cpu.mmu.store16(la1, (int) flags);
        cpu.mmu.store16(la2, cpu.segments.selector(Segments.CS));
        cpu.mmu.store16(la3, (int) rip);
        cpu.setSp(sp - 6);
    }

    // ---------------------------------------------------------------- 64-bit

    private void deliverLong(int vector, int errorCode, Source source) {
        int ext = source == Source.SOFTWARE ? 0 : 1;
        int idtCode = vector * 8 + 2 | ext;
        if (vector * 16 + 15 > cpu.idtLimit) {
            throw cpu.gp(idtCode);
        }
        long gateAt = cpu.idtBase + vector * 16L;
        long gate = cpu.mmu.systemLoad(gateAt, 8);
        long gateHigh = cpu.mmu.systemLoad(gateAt + 8, 8);
        int type = Descriptor.type(gate);
        if (Descriptor.segment(gate)
                || type != Descriptor.INTERRUPT_GATE32 && type != Descriptor.TRAP_GATE32
                || source == Source.SOFTWARE && Descriptor.dpl(gate) < cpu.cpl) {
            throw cpu.gp(idtCode);
        }
        if (!Descriptor.present(gate)) {
            throw cpu.np(idtCode);
        }
        int selector = Descriptor.gateSelector(gate);
        if (Segmentation.isNull(selector)) {
            throw cpu.gp(ext);
        }
        long code = cpu.segmentation.read(selector, 13, ext);
        if (!Descriptor.segment(code)
                || !Descriptor.code(code)
                || Descriptor.dpl(code) > cpu.cpl
                || !Descriptor.long64(code)
                || Descriptor.big(code)) {
            throw cpu.segmentation.fault(13, selector, ext);
        }
        if (!Descriptor.present(code)) {
            throw cpu.segmentation.fault(11, selector, ext);
        }
        int level = Descriptor.conforming(code) ? cpu.cpl : Descriptor.dpl(code);
        int ist = (int) (gate >>> 32) & 7;
        long stack;
        if (ist != 0) {
            stack = taskStack(28 + 8 * ist, ext);
        } else if (level < cpu.cpl) {
            stack = taskStack(4 + 8 * level, ext);
        } else {
            stack = cpu.r[Cpu.RSP];
        }
        if (!cpu.isCanonical(stack)) {
            throw cpu.ss(ext);
        }
        long top = stack & -16L;
        int words = errorCode >= 0 ? 6 : 5;
        long bottom = top - 8L * words;
        if (!cpu.isCanonical(bottom)) {
            throw cpu.ss(ext);
        }
        long target = Descriptor.gateOffset(gate) | gateHigh << 32;
        if (!cpu.isCanonical(target)) {
            throw cpu.gp(ext);
        }
        boolean inner = level < 3;
        long image = flagsImage(vector, source);
        int context = inner ? cpu.mmu.tlb.enterSystem() : -1;
        try {
            cpu.mmu.checkWrite(bottom, 8 * words);
            cpu.mmu.store64(top - 8, cpu.segments.selector(Segments.SS));
            cpu.mmu.store64(top - 16, cpu.r[Cpu.RSP]);
            cpu.mmu.store64(top - 24, image);
            cpu.mmu.store64(top - 32, cpu.segments.selector(Segments.CS));
            cpu.mmu.store64(top - 40, cpu.rip);
            if (errorCode >= 0) {
                cpu.mmu.store64(top - 48, errorCode);
            }
        } finally {
            if (inner) {
                cpu.mmu.tlb.leaveSystem(context);
            }
        }
        code = cpu.segmentation.access(selector, code);
        cpu.r[Cpu.RSP] = bottom;
        if (level < cpu.cpl) {
            cpu.segments.setNull(Segments.SS, level);
        }
        enter(selector, code, level, target, type == Descriptor.INTERRUPT_GATE32);
    }

    /// RSPn or an IST entry of the 64-bit TSS.
    private long taskStack(int offset, int ext) {
        if (offset + 7 > cpu.segments.limit[Segments.TR]) {
            throw cpu.segmentation.fault(10, cpu.segments.selector[Segments.TR], ext);
        }
        return cpu.mmu.systemLoad(cpu.segments.base[Segments.TR] + offset, 8);
    }

    // ---------------------------------------------------------------- protected and virtual-8086 mode

    private void deliverProtected(int vector, int errorCode, Source source) {
        int ext = source == Source.SOFTWARE ? 0 : 1;
        int idtCode = vector * 8 + 2 | ext;
        if (vector * 8 + 7 > cpu.idtLimit) {
            throw cpu.gp(idtCode);
        }
        long gate = cpu.mmu.systemLoad(cpu.idtBase + vector * 8L & 0xFFFF_FFFFL, 8);
        int type = Descriptor.type(gate);
        boolean known = !Descriptor.segment(gate)
                && switch (type) {
                    case Descriptor.TASK_GATE,
                            Descriptor.INTERRUPT_GATE16,
                            Descriptor.TRAP_GATE16,
                            Descriptor.INTERRUPT_GATE32,
                            Descriptor.TRAP_GATE32 -> true;
                    default -> false;
                };
        if (!known || source == Source.SOFTWARE && Descriptor.dpl(gate) < cpu.cpl) {
            throw cpu.gp(idtCode);
        }
        if (!Descriptor.present(gate)) {
            throw cpu.np(idtCode);
        }
        if (type == Descriptor.TASK_GATE) {
            cpu.tasks.throughGate(Descriptor.gateSelector(gate), flagsImage(vector, source), errorCode, ext);
            return;
        }
        int selector = Descriptor.gateSelector(gate);
        if (Segmentation.isNull(selector)) {
            throw cpu.gp(ext);
        }
        long code = cpu.segmentation.read(selector, 13, ext);
        if (!Descriptor.segment(code) || !Descriptor.code(code) || Descriptor.dpl(code) > cpu.cpl) {
            throw cpu.segmentation.fault(13, selector, ext);
        }
        if (!Descriptor.present(code)) {
            throw cpu.segmentation.fault(11, selector, ext);
        }
        boolean wide = (type & 8) != 0;
        int size = wide ? 4 : 2;
        long target = wide ? Descriptor.gateOffset(gate) : gate & 0xFFFF;
        if (target > Descriptor.limit(code)) {
            throw cpu.gp(ext);
        }
        int level = Descriptor.conforming(code) ? cpu.cpl : Descriptor.dpl(code);
        boolean virtual = cpu.virtual8086();
        if (virtual && level != 0) {
            throw cpu.segmentation.fault(13, selector, ext);
        }
        long image = flagsImage(vector, source);
        if (level < cpu.cpl) {
            toInner(level, size, image, errorCode, ext, virtual);
        } else {
            var frame = new StackFrame(cpu, Segments.SS, cpu.sp(), size, false);
            frame.push(image);
            frame.push(cpu.segments.selector(Segments.CS));
            frame.push(cpu.rip);
            if (errorCode >= 0) {
                frame.push(errorCode);
            }
            frame.commit();
            cpu.setSp(frame.pointer());
        }
        code = cpu.segmentation.access(selector, code);
        enter(selector, code, level, target, (type & 1) == 0);
    }

    private void toInner(int level, int size, long image, int errorCode, int ext, boolean virtual) {
        long pointer = cpu.tasks.innerStackPointer(level, ext);
        int stackSelector = cpu.tasks.innerStackSelector(level, ext);
        if (Segmentation.isNull(stackSelector)) {
            throw cpu.ts(ext);
        }
        long stack = cpu.segmentation.checkStack(stackSelector, level, 10, ext);
        var frame = new StackFrame(cpu, stack, pointer, size, stackSelector & 0xFFFC | ext);
        if (virtual) {
            frame.push(cpu.segments.selector(Segments.GS));
            frame.push(cpu.segments.selector(Segments.FS));
            frame.push(cpu.segments.selector(Segments.DS));
            frame.push(cpu.segments.selector(Segments.ES));
        }
        frame.push(cpu.segments.selector(Segments.SS));
        frame.push(cpu.r[Cpu.RSP]);
        frame.push(image);
        frame.push(cpu.segments.selector(Segments.CS));
        frame.push(cpu.rip);
        if (errorCode >= 0) {
            frame.push(errorCode);
        }
        frame.commit();
        stack = cpu.segmentation.access(stackSelector, stack);
        cpu.segmentation.setFrom(Segments.SS, stackSelector, stack);
        long mask = Descriptor.big(stack) ? 0xFFFF_FFFFL : 0xFFFF;
        cpu.r[Cpu.RSP] = cpu.r[Cpu.RSP] & ~mask & 0xFFFF_FFFFL | frame.pointer() & mask;
        if (virtual) {
            for (int s : new int[] {Segments.ES, Segments.DS, Segments.FS, Segments.GS}) {
                cpu.segments.setNull(s, 0);
            }
        }
    }

    private void enter(int selector, long code, int level, long target, boolean disable) {
        cpu.systemFlags &= ~(Cpu.TF | Cpu.NT | Cpu.VM | Cpu.RF | (disable ? Cpu.IF : 0));
        cpu.cpl = level;
        cpu.segmentation.setFrom(Segments.CS, selector & 0xFFFC | level, code);
        cpu.rip = target;
        cpu.updateMode();
    }

    /// RFLAGS as pushed: RF is set for faults, so that an execution breakpoint does not meet the instruction twice.
    private long flagsImage(int vector, Source source) {
        long image = cpu.rflags();
        boolean trap = vector == DEBUG || vector == 3 || vector == 4 || vector == DOUBLE_FAULT || vector == 18;
        return source == Source.EXCEPTION && !trap ? image | Cpu.RF : image;
    }
}
