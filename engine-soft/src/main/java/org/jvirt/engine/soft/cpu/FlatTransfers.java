package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Segment;

/// What generated code has to know to change between a 64-bit kernel and its programs on its own, where all
/// segments are flat, and the way back: the processor's state as such a change leaves it.
///
/// All answers but the last two change only together with [Cpu#systemGeneration]. Owner thread only.
public final class FlatTransfers {
    /// A descriptor of 64-bit code of level 0, flat, accessed.
    public static final long KERNEL_CODE = 0x00AF_9B00_0000_FFFFL;
    /// Data of level 0.
    public static final long KERNEL_DATA = 0x00CF_9300_0000_FFFFL;
    /// 64-bit code of level 3.
    public static final long USER_CODE = 0x00AF_FB00_0000_FFFFL;
    /// Data of level 3.
    public static final long USER_DATA = 0x00CF_F300_0000_FFFFL;

    private static final int CODE = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG;
    private static final int DATA = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
    private static final int USER_DPL = 3 << 5;
    /// Addresses of four levels of paging are canonical with five, too.
    private static final int UNUSED_BITS = 16;

    private static final int PAGE = 4096;
    private static final int GATE_BYTES = 16;
    /// Of the gate of page faults in the table.
    private static final int FAULT_GATE = 14 * GATE_BYTES;
    /// The part of a 64-bit task state before the I/O map, and in it the stack pointers.
    private static final int TASK_STATE_BYTES = 104;

    private static final int TASK_STACKS = 4;
    /// From there to what would be number 0 of the interrupts' stacks.
    private static final int INTERRUPT_STACKS = 24;
    /// The number of such a stack, in the second word of a gate.
    private static final int GATE_STACK = 7;

    private final Cpu cpu;

    FlatTransfers(Cpu cpu) {
        this.cpu = cpu;
    }

    // ---------------------------------------------------------------- SYSCALL and SYSRET

    /// Whether SYSRET, in 64-bit code of level 0, is defined.
    public boolean returnsFast() {
        return (cpu.control.efer() & Control.EFER_SCE) != 0;
    }

    /// Whether SYSCALL, in 64-bit code, is defined, goes to an address, and clears AC.
    public boolean callsFast() {
        long target = cpu.msrs.lstar();
        return returnsFast() && (cpu.msrs.fmask() & Cpu.AC) != 0 && target << UNUSED_BITS >> UNUSED_BITS == target;
    }

    /// LSTAR.
    public long entry() {
        return cpu.msrs.lstar();
    }

    /// Bits of RFLAGS that SYSCALL clears.
    public int entryMask() {
        return (int) cpu.msrs.fmask();
    }

    /// CS after SYSCALL.
    public int entryCode() {
        return (int) (cpu.msrs.star() >>> 32) & 0xFFFC;
    }

    /// SS after SYSCALL.
    public int entryStack() {
        return (int) (cpu.msrs.star() >>> 32 & 0xFFFF) + 8 & 0xFFFC;
    }

    /// CS after a SYSRET to 64-bit code.
    public int returnCode() {
        return (int) (cpu.msrs.star() >>> 48) + 16 | 3;
    }

    /// SS after SYSRET.
    public int returnStack() {
        return (int) (cpu.msrs.star() >>> 48) + 8 | 3;
    }

    // ---------------------------------------------------------------- other facts

    /// Whether a change to level 3 leaves ES, DS, FS and GS as they are.
    public boolean keepsDataSegments() {
        return keeps(Segments.ES) && keeps(Segments.DS) && keeps(Segments.FS) && keeps(Segments.GS);
    }

    private boolean keeps(int segment) {
        boolean conformingCode = (cpu.segments.attributes[segment] & 0xC) == 0xC;
        return Segmentation.isNull(cpu.segments.selector[segment]) || cpu.segments.dpl(segment) == 3 || conformingCode;
    }

    /// Whether supervisors may not touch what belongs to programs unless AC is set.
    public boolean protectsPrograms() {
        return cpu.smapEnabled();
    }

    /// Whether RDFSBASE and its like are defined.
    public boolean hasBaseInstructions() {
        return (cpu.control.cr4() & Control.FSGSBASE) != 0;
    }

    /// Whether programs may execute RDTSC and RDTSCP.
    public boolean programsReadCounter() {
        return (cpu.control.cr4() & Control.TSD) == 0;
    }

    /// GDTR's base.
    public long gdtBase() {
        return cpu.gdtBase;
    }

    /// GDTR's limit.
    public int gdtLimit() {
        return cpu.gdtLimit;
    }

    /// Whether page faults of 64-bit code may be delivered by way of [#faultGate] and [#taskStacks]: write
    /// protection counts for supervisors, and gate and task state are on one page each.
    public boolean faultsPlainly() {
        return cpu.longModeActive()
                && cpu.writeProtect()
                && cpu.idtLimit >= FAULT_GATE + GATE_BYTES - 1
                && isOnOnePage(faultGate(), GATE_BYTES)
                && cpu.segments.limit[Segments.TR] >= TASK_STATE_BYTES - 1
                && isOnOnePage(cpu.segments.base[Segments.TR], TASK_STATE_BYTES);
    }

    private static boolean isOnOnePage(long la, int bytes) {
        return (la & PAGE - 1) + bytes <= PAGE;
    }

    /// Address of the gate for page faults.
    public long faultGate() {
        return cpu.idtBase + FAULT_GATE;
    }

    /// Address of RSP0 in the task state of 64 bits.
    public long taskStacks() {
        return cpu.segments.base[Segments.TR] + TASK_STACKS;
    }

    /// The stack pointer with which a page fault of level 3 begins.
    ///
    /// @throws GuestFault if the gate or the task state is not there; not, if they have just been read
    public long faultStack() {
        int number = (int) cpu.mmu.systemLoad(faultGate() + 4, 4) & GATE_STACK;
        int offset = number == 0 ? 0 : INTERRUPT_STACKS + 8 * number;
        return cpu.mmu.systemLoad(taskStacks() + offset, 8);
    }

    /// The set of rights that accesses of the system itself have.
    public int systemRights() {
        return cpu.smapEnabled() ? Tlb.SUPERVISOR_SMAP : Tlb.SUPERVISOR;
    }

    /// Has something done with the rights of [#systemRights].
    public void asSystem(Runnable what) {
        int context = cpu.mmu.tlb.enterSystem();
        try {
            what.run();
        } finally {
            cpu.mmu.tlb.leaveSystem(context);
        }
    }

    /// Generated code has met a page fault.
    public void faulted(long address) {
        cpu.control.setCr2(address);
    }

    /// What to add to nanoseconds of the host's monotonic clock, as [System#nanoTime] counts them, to get guest
    /// time, or [org.jvirt.core.VmClock#UNRELATED].
    public long clockAhead() {
        return cpu.processors().tsc().clock().aheadOfHost();
    }

    /// Whether an IRET has more to do than to return.
    public boolean returnsFromNmi() {
        return cpu.interrupts.nmiBlocked();
    }

    // ---------------------------------------------------------------- the way back

    /// Generated code has changed RFLAGS beyond the status flags.
    public void changed(int systemFlags) {
        cpu.systemFlags = systemFlags;
        cpu.updateMode();
    }

    /// Generated code has gone to flat 64-bit code of level 0 or 3.
    ///
    /// @param nullStack SS is null
    public void changed(int systemFlags, boolean user, boolean nullStack, int code, int stack) {
        int dpl = user ? USER_DPL : 0;
        cpu.systemFlags = systemFlags;
        cpu.segments.set(Segments.CS, code, 0, 0xFFFF_FFFFL, CODE | dpl);
        if (nullStack) {
            cpu.segments.setNull(Segments.SS, stack);
        } else {
            cpu.segments.set(Segments.SS, stack, 0, 0xFFFF_FFFFL, DATA | dpl);
        }
        cpu.cpl = user ? 3 : 0;
        cpu.updateMode();
    }
}
