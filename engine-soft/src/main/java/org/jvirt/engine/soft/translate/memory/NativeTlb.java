package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.StateLayout;

/// The TLB that generated code looks into: for each set of rights a table for reads and one for writes.
///
/// It holds what [Tlb]'s fast tables may hold, of the current address space and of global pages only. What has been
/// filled is noted, so that a change of address space costs in proportion to it. An empty entry has a tag that no
/// address with its index has.
final class NativeTlb {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final long PAGE = -4096L;
    private static final int FIRST = StateLayout.read(0);
    private static final int END = StateLayout.read(StateLayout.CONTEXTS);
    private static final int ENTRIES = (END - FIRST) / 8;
    /// A log that is longer may have much more than once.
    private static final int LONG_LOG = 1 << 12;

    private final Tlb tlb;
    private final GuestMemory memory;
    private final MemorySegment state;
    private final Sites sites;
    private final long backing;
    private final long nowhere = new SplittableRandom().nextLong() >>> 4 | 1L << 62 | 1;
    private final BitSet seen = new BitSet(ENTRIES);
    /// Backing pages that entries for writes lead to, and others that such entries have led to before: as far as
    /// the logs have been looked at.
    private final BitSet written = new BitSet();

    private int lookedLocal;
    private int lookedGlobal;
    /// Which of the pages for faults are only in this address space.
    private final boolean[] isLocal = new boolean[StateLayout.MOST_FAULT_PAGES];

    private @Nullable ShadowPages shadow;

    NativeTlb(Cpu cpu, MemorySegment state, Sites sites) {
        this.state = state;
        this.sites = sites;
        tlb = cpu.mmu.tlb;
        memory = cpu.processors().memory();
        backing = memory.backing().address();
        for (int kind = 0; kind < 2 * StateLayout.CONTEXTS; kind++) {
            clearSites(kind, StateLayout.SITES_OF_A_KIND);
        }
        clearAll();
    }

    private static int entry(long page, int table) {
        return table + ((int) (page >>> 12) & StateLayout.TLB_ENTRIES - 1) * 8;
    }

    /// Makes the entry of the stack's page for POP or PUSH of the word of `size` bytes at `la`, as [#fill].
    boolean fillStack(long la, int size, boolean write, int context) {
        long page = la & PAGE;
        int at = entry(page, write ? StateLayout.write(context) : StateLayout.read(context));
        boolean reachable = (la & size - 1) == 0 && (size == 8 || la >>> 32 == 0);
        if (!reachable || state.get(LONG, at) != page && !fill(la, write, context)) {
            return false;
        }
        int entry = StateLayout.stackPage(context, write);
        state.set(LONG, entry, -page);
        state.set(LONG, entry + 8, state.get(LONG, at + StateLayout.DELTAS));
        return true;
    }

    /// Empties the entries of the stack's pages: an odd distance from addresses that are not canonical. Should a
    /// guest hit on it, it finds a page of nothing.
    private void clearStack() {
        for (int context = 0; context < StateLayout.CONTEXTS; context++) {
            clearStack(StateLayout.stackPage(context, false));
            clearStack(StateLayout.stackPage(context, true));
        }
    }

    private void clearSinglePages() {
        clearStack();
        if (state.get(INT, StateLayout.SITES_FILLED) != 0) {
            state.set(INT, StateLayout.SITES_FILLED, 0);
            for (int kind = 0; kind < 2 * StateLayout.CONTEXTS; kind++) {
                clearSites(kind, sites.used(kind));
            }
        }
    }

    /// Empties entries of accesses in loops, as [#clearStack].
    private void clearSites(int kind, int count) {
        long page = state.address() + StateLayout.NOWHERE;
        for (int i = 0; i < count; i++) {
            int site = StateLayout.site(kind, i);
            state.set(LONG, site, -nowhere);
            state.set(LONG, site + StateLayout.SITE_DISTANCE, page + nowhere);
            state.set(LONG, site + StateLayout.SITE_PAGE, page);
        }
    }

    private void clearStack(int entry) {
        state.set(LONG, entry, nowhere);
        state.set(LONG, entry + 8, nowhere + state.address() + StateLayout.NOWHERE);
    }

    /// Makes the entry for an access under the current rights, which are `context`. False if there can be none, or
    /// if there is one already and something else is wrong with the access.
    boolean fill(long la, boolean write, int context) {
        long page = la & PAGE;
        int at = entry(page, write ? StateLayout.write(context) : StateLayout.read(context));
        if (state.get(LONG, at) == page) {
            return false;
        }
        long delta;
        try {
            delta = tlb.fastDelta(la, write);
        } catch (GuestFault fault) {
            return false;
        }
        if (delta == Tlb.NO_DELTA) {
            return false;
        }
        long host = delta + backing;
        if (shadow != null && shadow.isActive()) {
            long copy = shadow.redirect(page + delta);
            if (copy == 0) {
                return false;
            }
            host = copy - page;
        }
        note(at, tlb.isGlobal(la, false));
        state.set(LONG, at, page);
        state.set(LONG, at + StateLayout.DELTAS, host);
        return true;
    }

    /// Makes the entry of a page that page faults are delivered by, if it is known under the current rights.
    void noteForFaults(int number, long la, boolean write) {
        int entry = StateLayout.faultPage(number);
        long page = la & PAGE;
        if (state.get(LONG, entry) != page && tlb.isFast(la, write)) {
            isLocal[number] = !tlb.isGlobal(la, false);
            state.set(LONG, entry, page);
            state.set(LONG, entry + 8, tlb.fastDelta(la, write) + backing);
        }
    }

    /// Whether a page that page faults are delivered by is not known.
    boolean lacksPageForFaults() {
        for (int i = 0; i < StateLayout.MOST_FAULT_PAGES; i++) {
            if (state.get(LONG, StateLayout.faultPage(i)) == StateLayout.NO_PAGE_NUMBER) {
                return true;
            }
        }
        return false;
    }

    private void clearForFaults(int number) {
        state.set(LONG, StateLayout.faultPage(number), StateLayout.NO_PAGE_NUMBER);
    }

    private void clearForFaults(boolean all) {
        for (int i = 0; i < StateLayout.MOST_FAULT_PAGES; i++) {
            if (all || isLocal[i]) {
                clearForFaults(i);
            }
        }
    }

    /// While these are in use, entries lead to them.
    void shadow(ShadowPages copies) {
        shadow = copies;
    }

    // ---------------------------------------------------------------- logs, which generated code writes as well

    private static int log(int count) {
        return count == StateLayout.LOCAL_COUNT ? StateLayout.LOCAL_LOG : StateLayout.GLOBAL_LOG;
    }

    private int logged(int count, int i) {
        return state.get(INT, log(count) + 4L * i);
    }

    private void note(int at, boolean global) {
        int count = global ? StateLayout.GLOBAL_COUNT : StateLayout.LOCAL_COUNT;
        if (state.get(INT, count) == StateLayout.LOG) {
            shorten(count);
        }
        int length = state.get(INT, count);
        state.set(INT, log(count) + 4L * length, at);
        state.set(INT, count, length + 1);
    }

    /// Leaves of each place in a log one.
    private void shorten(int count) {
        seen.clear();
        int length = state.get(INT, count);
        int kept = 0;
        for (int i = 0; i < length; i++) {
            int at = logged(count, i);
            int number = (at - FIRST) / 8;
            if (!seen.get(number)) {
                seen.set(number);
                state.set(INT, log(count) + 4L * kept++, at);
            }
        }
        state.set(INT, count, kept);
        looked(count, 0);
    }

    private void looked(int count, int length) {
        if (count == StateLayout.LOCAL_COUNT) {
            lookedLocal = length;
        } else {
            lookedGlobal = length;
        }
    }

    private void clearNoted(int count) {
        int length = state.get(INT, count);
        for (int i = 0; i < length; i++) {
            clear(logged(count, i));
        }
        state.set(INT, count, 0);
        looked(count, 0);
    }

    private void clear(int at) {
        long index = (long) (at - FIRST) % StateLayout.TABLE_BYTES / 8;
        state.set(LONG, at, (index ^ 1) << 12);
    }

    void clearAll() {
        clearForFaults(true);
        clearSinglePages();
        for (int table = FIRST; table < END; table += StateLayout.TABLE_BYTES) {
            for (int i = 0; i < StateLayout.TLB_ENTRIES; i++) {
                clear(table + 8 * i);
            }
        }
        state.set(INT, StateLayout.GLOBAL_COUNT, 0);
        state.set(INT, StateLayout.LOCAL_COUNT, 0);
        looked(StateLayout.GLOBAL_COUNT, 0);
        looked(StateLayout.LOCAL_COUNT, 0);
        written.clear();
        clearLarge();
    }

    private void clearLarge() {
        state.asSlice(StateLayout.LARGE, StateLayout.LARGE_REGIONS / 8).fill((byte) 0);
    }

    /// All that is not global.
    void clearLocal() {
        clearForFaults(false);
        clearSinglePages();
        clearNoted(StateLayout.LOCAL_COUNT);
    }

    void clearEverythingNoted() {
        clearForFaults(true);
        clearLocal();
        clearNoted(StateLayout.GLOBAL_COUNT);
        written.clear();
        clearLarge();
    }

    /// One page, and what may be pieces of the same larger one.
    void clearPage(long la) {
        int region = (int) (la >>> 30) & StateLayout.LARGE_REGIONS - 1;
        if ((state.get(ValueLayout.JAVA_BYTE, StateLayout.LARGE + (region >>> 3)) >>> (region & 7) & 1) != 0) {
            clearEverythingNoted();
            return;
        }
        clearSinglePages();
        long page = la & PAGE;
        for (int i = 0; i < StateLayout.MOST_FAULT_PAGES; i++) {
            if (state.get(LONG, StateLayout.faultPage(i)) == page) {
                clearForFaults(i);
            }
        }
        for (int table = FIRST; table < END; table += StateLayout.TABLE_BYTES) {
            int at = entry(page, table);
            if (state.get(LONG, at) == page) {
                clear(at);
            }
        }
    }

    /// Drops writes to pages that hold code or, while the dirty log is kept, are clean.
    void dropGuardedWrites() {
        clearForFaults(StateLayout.STACK_PAGE_NUMBER);
        clearSinglePages();
        boolean logging = memory.dirtyLogging();
        dropGuarded(StateLayout.LOCAL_COUNT, logging);
        dropGuarded(StateLayout.GLOBAL_COUNT, logging);
    }

    /// As [#dropGuardedWrites] when one more page holds code, which most of them have not been written to lately.
    void dropWritesTo(long number) {
        if (shadow != null || memory.dirtyLogging()) {
            dropGuardedWrites();
            return;
        }
        clearForFaults(StateLayout.STACK_PAGE_NUMBER);
        clearSinglePages();
        look(StateLayout.LOCAL_COUNT, lookedLocal);
        look(StateLayout.GLOBAL_COUNT, lookedGlobal);
        if (written.get((int) number)) {
            dropGuarded(StateLayout.LOCAL_COUNT, false);
            dropGuarded(StateLayout.GLOBAL_COUNT, false);
        }
    }

    /// Notes where the entries lead that have been logged since the last look: each that is made is logged anew.
    private void look(int count, int from) {
        int length = state.get(INT, count);
        for (int i = from; i < length; i++) {
            int at = logged(count, i);
            if (isWrite(at)) {
                written.set((int) number(at));
            }
        }
        looked(count, length);
    }

    /// Whether a place of the tables has an entry for writes.
    private boolean isWrite(int at) {
        boolean write = ((at - FIRST) / StateLayout.TABLE_BYTES & 1) != 0;
        return write && entry(state.get(LONG, at), FIRST) - FIRST == (at - FIRST) % StateLayout.TABLE_BYTES;
    }

    /// The backing page that an entry leads to.
    private long number(int at) {
        return state.get(LONG, at) + state.get(LONG, at + StateLayout.DELTAS) - backing >>> GuestMemory.PAGE_SHIFT;
    }

    private void dropGuarded(int count, boolean logging) {
        if (state.get(INT, count) > LONG_LOG) {
            shorten(count);
        }
        int length = state.get(INT, count);
        for (int i = 0; i < length; i++) {
            dropGuardedEntry(logged(count, i), logging);
        }
    }

    private void dropGuardedEntry(int at, boolean logging) {
        if (!isWrite(at)) {
            return;
        }
        long number = number(at);
        if (memory.holdsCode(number) || logging && !memory.isDirty(number)) {
            clear(at);
        }
    }
}
