package org.jvirt.engine.soft.translate.memory;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.FlatTransfers;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.StateLayout;

/// TLB and jump tables of one processor, kept in step with its [Tlb]. Owner thread only.
public final class NativeTables implements Tlb.Mirror {
    private static final long PAGE = -4096L;

    private final Tlb tlb;
    private final FlatTransfers flat;
    private final NativeTlb pages;
    private final JumpTable jumps;

    /// @param sites         who gives accesses in loops their entries
    /// @param unknownTarget where jumps to unknown targets lead, by jump table
    public NativeTables(Cpu cpu, StateBlock state, Sites sites, long[] unknownTarget) {
        tlb = cpu.mmu.tlb;
        flat = cpu.flat;
        pages = new NativeTlb(cpu, state.segment(), sites);
        jumps = new JumpTable(state.segment(), unknownTarget);
        jumps.generations(tlb.globalGeneration(), tlb.localGeneration());
    }

    /// Makes a TLB entry for an access under the current rights, which are `context`. False if the interpreter has
    /// to do the access.
    public boolean fill(long la, boolean write, int context) {
        return pages.fill(la, write, context);
    }

    /// Makes the entry of the stack's page for POP or PUSH of the word of `size` bytes at `la`, as [#fill].
    public boolean fillStack(long la, int size, boolean write, int context) {
        return pages.fillStack(la, size, write, context);
    }

    /// Whether generated code lacks a page to deliver page faults.
    public boolean lacksPageForFaults() {
        return pages.lacksPageForFaults();
    }

    /// Notes the pages that generated code needs to deliver a page fault, as far as the interpreter has just used
    /// them for that.
    ///
    /// @param stack an address on the stack of level 0, if that is the current level, or -1
    public void noteForFaults(long stack) {
        flat.asSystem(() -> {
            if (stack != -1 && tlb.isFast(stack, true)) {
                pages.fill(stack, true, flat.systemRights());
            }
            pages.noteForFaults(StateLayout.GATE_PAGE_NUMBER, flat.faultGate(), false);
            pages.noteForFaults(StateLayout.DESCRIPTOR_PAGE_NUMBER, flat.gdtBase(), false);
            if (tlb.isFast(flat.faultGate(), false) && tlb.isFast(flat.taskStacks(), false)) {
                pages.noteForFaults(StateLayout.TASK_PAGE_NUMBER, flat.taskStacks(), false);
                pages.noteForFaults(StateLayout.STACK_PAGE_NUMBER, flat.faultStack() - 1, true);
            }
        });
    }

    /// While these are in use, TLB entries lead to them.
    public void shadow(ShadowPages copies) {
        pages.shadow(copies);
    }

    /// Lets indirect branches to `rip` find `code`.
    ///
    /// @param page    the backing page of the guest's code
    /// @param crosses it depends on the next linear page, too
    public void link(long rip, int mode, long code, long page, boolean crosses) {
        if (jumps.leads(rip, mode, code)) {
            return;
        }
        boolean global = tlb.isGlobal(rip, true) && (!crosses || tlb.isGlobal((rip & PAGE) - PAGE, true));
        long generation = global ? tlb.globalGeneration() : tlb.localGeneration();
        jumps.set(rip, mode, code, global, generation, crosses ? -1 : page);
    }

    /// As long as what the address `rip`, at which code has just been found, means is known: see [#linkTarget].
    public long generation(long rip) {
        return tlb.isGlobal(rip, true) ? tlb.globalGeneration() : tlb.localGeneration();
    }

    /// Lets branches of 64-bit code that have not found `rip` in the jump table find `code` in a generation.
    ///
    /// @param page the backing page of the guest's code, the only one that it depends on
    public void linkTarget(long rip, int mode, long code, long generation, long page) {
        jumps.setTarget(rip, mode, code, generation, page);
    }

    /// Ends what [#link] and [#linkTarget] have said.
    public void unlink(long rip, int mode, long code) {
        jumps.drop(rip, mode, code);
    }

    /// Forgets all code that jump tables lead to.
    public void unlinkAll() {
        jumps.clearNoted();
    }

    @Override
    public void all() {
        pages.clearEverythingNoted();
    }

    @Override
    public void local() {
        pages.clearLocal();
    }

    @Override
    public void page(long la) {
        pages.clearPage(la);
    }

    @Override
    public void guardedWrites() {
        pages.dropGuardedWrites();
    }

    @Override
    public void writesTo(long page) {
        pages.dropWritesTo(page);
    }

    @Override
    public void allCode() {
        jumps.clearNoted();
        jumps.generations(tlb.globalGeneration(), tlb.localGeneration());
    }

    @Override
    public void localCode() {
        jumps.clearLocal();
        jumps.generations(tlb.globalGeneration(), tlb.localGeneration());
    }
}
