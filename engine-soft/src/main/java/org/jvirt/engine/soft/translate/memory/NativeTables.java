package org.jvirt.engine.soft.translate.memory;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.emit.Sites;

/// TLB and jump tables of one processor, kept in step with its [Tlb]. Owner thread only.
public final class NativeTables implements Tlb.Mirror {
    private final Tlb tlb;
    private final NativeTlb pages;
    private final JumpTable jumps;

    /// @param sites         who gives accesses in loops their entries
    /// @param unknownTarget where jumps to unknown targets lead, by jump table
    public NativeTables(Cpu cpu, StateBlock state, Sites sites, long[] unknownTarget) {
        tlb = cpu.mmu.tlb;
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

    /// While these are in use, TLB entries lead to them.
    public void shadow(ShadowPages copies) {
        pages.shadow(copies);
    }

    /// Lets indirect branches to `rip` find `code`; answers the generation in which they do, or 0 if they did
    /// before.
    ///
    /// @param crosses it depends on two pages
    public long link(long rip, int mode, long code, boolean crosses) {
        if (jumps.leads(rip, mode, code)) {
            return 0;
        }
        boolean global = !crosses && tlb.isGlobal(rip, true);
        long generation = global ? tlb.globalGeneration() : tlb.localGeneration();
        jumps.set(rip, mode, code, global, generation);
        return generation;
    }

    /// As long as what the address `rip`, at which code has just been found, means is known: see [#linkTarget].
    public long generation(long rip) {
        return tlb.isGlobal(rip, true) ? tlb.globalGeneration() : tlb.localGeneration();
    }

    /// Lets branches of 64-bit code that have not found `rip` in the jump table find `code` in a generation.
    public void linkTarget(long rip, int mode, long code, long generation) {
        jumps.setTarget(rip, mode, code, generation);
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
