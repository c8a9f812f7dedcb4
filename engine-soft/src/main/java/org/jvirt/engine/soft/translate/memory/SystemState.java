package org.jvirt.engine.soft.translate.memory;

import java.util.Comparator;
import java.util.List;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.VmClock;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.FlatTransfers;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.linux.NativeCode;

/// The part of a state block that system instructions work on: what they have to know, and what they have changed.
///
/// Owner thread only.
final class SystemState {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    /// DF and IF have words of their own, and the others are never set while generated code runs.
    private static final int ELSEWHERE = Cpu.DF | Cpu.IF | Cpu.VM | Cpu.RF;
    /// Of an entry in a page table: the bits of the address, and the bit of a global page.
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    /// While it is reserved it counts as a bit of the address, of one that no memory has.
    private static final long NO_EXECUTE = 1L << 63;

    private static final int GLOBAL = 1 << 8;
    /// Bits of a linear address that count.
    private static final int WIDTH_OF_FOUR_LEVELS = 48;

    private static final int WIDTH_OF_FIVE_LEVELS = 57;
    /// Bit 1 of RFLAGS.
    private static final int ALWAYS = 2;

    private final StateBlock state;
    private final Cpu cpu;
    private int generation;
    private boolean walks = true;

    SystemState(StateBlock state, Cpu cpu) {
        this.state = state;
        this.cpu = cpu;
        state.setLong(StateLayout.FLAT_DESCRIPTORS, FlatTransfers.KERNEL_CODE);
        state.setLong(StateLayout.FLAT_DESCRIPTORS + 8, FlatTransfers.KERNEL_DATA);
        state.setLong(StateLayout.FLAT_DESCRIPTORS + 16, FlatTransfers.USER_CODE);
        state.setLong(StateLayout.FLAT_DESCRIPTORS + 24, FlatTransfers.USER_DATA);
        state.setLong(StateLayout.CLOCK_FUNCTION, NativeCode.clockFunction());
        state.setLong(StateLayout.NANOS_PER_SECOND, NANOS_PER_SECOND);
        state.setLong(StateLayout.COUNTER_HZ, cpu.processors().tsc().hz());
        generation = cpu.systemGeneration() - 1;
        memory(cpu.processors().memory());
    }

    /// What page walks have to know of the guest's memory.
    private void memory(GuestMemory memory) {
        state.setLong(StateLayout.WALK_BACKING, memory.backing().address());
        state.setLong(StateLayout.WALK_CODE_PAGES, memory.codePages());
        List<MemorySlot> largest = memory.slots().stream()
                .filter(slot -> !slot.readOnly())
                .sorted(Comparator.comparingLong(MemorySlot::sizeBytes).reversed())
                .limit(StateLayout.WALK_SLOTS)
                .toList();
        for (int i = 0; i < largest.size(); i++) {
            MemorySlot slot = largest.get(i);
            int place = StateLayout.WALK_SLOT + i * StateLayout.WALK_SLOT_BYTES;
            state.setLong(place, slot.gpa());
            state.setLong(place + 8, slot.sizeBytes());
            state.setLong(place + 16, slot.offsetBytes());
        }
    }

    /// From now on page tables are walked in Java only.
    void leaveWalks() {
        walks = false;
    }

    /// The position of status flags, given as in RFLAGS, in AX as LAHF and SETO AL leave it.
    static int inAx(int flags) {
        return (flags & 0xFF) << 8 | (flags & Flags.OF) >>> 11;
    }

    /// Before generated code runs.
    void enter() {
        int system = cpu.systemFlags();
        state.setInt(StateLayout.BACKWARD, system & Cpu.DF);
        state.setInt(StateLayout.INTERRUPTS_ENABLED, system & Cpu.IF);
        state.setInt(StateLayout.SYSTEM_FLAGS, system & ~ELSEWHERE | ALWAYS);
        state.setInt(StateLayout.INTERRUPT_WAITS, cpu.interrupts.mayWait() ? 1 : 0);
        cpu.segments.copySelectors(state.segment(), StateLayout.SELECTORS);
        state.setLong(StateLayout.FS_BASE, cpu.segments.base(Segments.FS));
        state.setLong(StateLayout.GS_BASE, cpu.segments.base(Segments.GS));
        state.setLong(StateLayout.KERNEL_GS_BASE, cpu.msrs.kernelGsBase());
        state.setLong(StateLayout.CR2, cpu.control.cr2());
        state.setLong(StateLayout.CR3, cpu.control.cr3());
        state.setInt(StateLayout.RETURNS, cpu.flat.returnsFromNmi() ? 0 : 1);
        state.setInt(StateLayout.WALKS, walks && cpu.mmu.walksPlainly() ? 1 : 0);
        counter();
        if (generation != cpu.systemGeneration()) {
            refresh();
        }
    }

    private void counter() {
        long ahead = cpu.flat.clockAhead();
        boolean counts = ahead != VmClock.UNRELATED;
        state.setLong(StateLayout.CLOCK_AHEAD, ahead);
        state.setLong(StateLayout.COUNTER_ADJUST, cpu.msrs.tscAdjust());
        state.setLong(StateLayout.COUNTER_AUX, cpu.msrs.tscAux());
        state.setInt(StateLayout.COUNTS, counts ? 1 : 0);
        state.setInt(StateLayout.COUNTS_FOR_PROGRAMS, counts && cpu.flat.programsReadCounter() ? 1 : 0);
    }

    private void refresh() {
        FlatTransfers flat = cpu.flat;
        generation = cpu.systemGeneration();
        int context = flat.protectsPrograms() ? Tlb.SUPERVISOR_SMAP : Tlb.SUPERVISOR;
        int entry = StateLayout.jumps(context) + (int) (flat.entry() & StateLayout.JUMP_ENTRIES - 1) * 8;
        state.setInt(StateLayout.CALL_ENTRY, flat.callsFast() ? entry : 0);
        state.setLong(StateLayout.CALL_TARGET, flat.entry());
        state.setInt(StateLayout.CALL_KEEPS, ~flat.entryMask() | ALWAYS);
        state.setInt(StateLayout.CALL_KEEPS_STATUS, inAx(~flat.entryMask()));
        state.setInt(StateLayout.CALL_SELECTORS, flat.entryCode());
        state.setInt(StateLayout.CALL_SELECTORS + 4, flat.entryStack());
        state.setInt(StateLayout.RETURN_SELECTORS, flat.returnCode());
        state.setInt(StateLayout.RETURN_SELECTORS + 4, flat.returnStack());
        state.setInt(StateLayout.RETURNS_FAST, flat.returnsFast() ? 1 : 0);
        state.setInt(StateLayout.KEEPS_DATA_SEGMENTS, flat.keepsDataSegments() ? 1 : 0);
        state.setInt(StateLayout.PROTECTS_PROGRAMS, flat.protectsPrograms() ? 1 : 0);
        state.setInt(StateLayout.BASE_INSTRUCTIONS, flat.hasBaseInstructions() ? 1 : 0);
        state.setLong(StateLayout.WALK_ADDRESS, cpu.mmu.hasNoExecute() ? ADDRESS : ADDRESS | NO_EXECUTE);
        state.setInt(StateLayout.WALK_GLOBAL, cpu.mmu.hasGlobalPages() ? GLOBAL : 0);
        boolean five = cpu.mmu.hasFiveLevels();
        int width = five ? WIDTH_OF_FIVE_LEVELS : WIDTH_OF_FOUR_LEVELS;
        state.setInt(StateLayout.WALK_FIVE_LEVELS, five ? 1 : 0);
        state.setLong(StateLayout.WALK_BIAS, 1L << width - 1);
        state.setLong(StateLayout.WALK_CANONICAL, -1L << width);
        state.setInt(StateLayout.WALK_HUGE, cpu.mmu.hasHugePages() ? 1 : 0);
        faults(flat);
        state.setLong(StateLayout.GDT_BASE, flat.gdtBase());
        state.setInt(StateLayout.GDT_LIMIT, flat.gdtLimit());
    }

    private void faults(FlatTransfers flat) {
        int rights = flat.systemRights();
        state.setInt(StateLayout.FAULTS, flat.faultsPlainly() ? 1 : 0);
        state.setLong(StateLayout.FAULT_GATE, flat.faultGate());
        state.setLong(StateLayout.FAULT_STACKS, flat.taskStacks());
        state.setInt(StateLayout.FAULT_TABLES, StateLayout.read(rights) / 8);
        state.setInt(StateLayout.FAULT_JUMPS, rights * StateLayout.JUMP_ENTRIES);
    }

    private int systemFlags() {
        return state.getInt(StateLayout.SYSTEM_FLAGS) & ~ALWAYS
                | state.getInt(StateLayout.INTERRUPTS_ENABLED)
                | state.getInt(StateLayout.BACKWARD);
    }

    /// Whenever generated code has come back, before anything else: makes its rights the processor's.
    void adoptRights() {
        if (state.getInt(StateLayout.RIGHTS_CHANGED) == 0) {
            return;
        }
        int segments = state.getInt(StateLayout.SEGMENTS_CHANGED);
        state.setInt(StateLayout.RIGHTS_CHANGED, 0);
        state.setInt(StateLayout.SEGMENTS_CHANGED, 0);
        if (segments == 0) {
            cpu.flat.changed(systemFlags());
        } else {
            cpu.flat.changed(
                    systemFlags(),
                    segments == StateLayout.TO_USER,
                    segments == StateLayout.TO_KERNEL_WITHOUT_STACK,
                    state.getInt(StateLayout.SELECTORS + 4 * Segments.CS),
                    state.getInt(StateLayout.SELECTORS + 4 * Segments.SS));
        }
    }

    /// After generated code and [#adoptRights], when the interpreter goes on.
    void leave() {
        int now = systemFlags();
        if (now != cpu.systemFlags()) {
            cpu.setSystemFlags(now);
        }
        cpu.segments.base[Segments.FS] = state.getLong(StateLayout.FS_BASE);
        cpu.segments.base[Segments.GS] = state.getLong(StateLayout.GS_BASE);
        cpu.msrs.setKernelGsBase(state.getLong(StateLayout.KERNEL_GS_BASE));
        cpu.flat.faulted(state.getLong(StateLayout.CR2));
    }
}
