package org.jvirt.engine.soft.cpu;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;

/// The translation look-aside buffer, in two levels.
///
/// *Fast tables*, one for each kind of access and each set of rights, hold a tag and what to add to a linear
/// address to get the offset in the guest's backing memory:
///
/// ```
/// entry 2n      linear page | address-space tag (bits 0-11)
/// entry 2n + 1  backing offset of the page - linear page
/// ```
///
/// An entry is there only when an access of that kind with those rights needs no further thought. The *second
/// level* holds translations by linear page and address space with the rights the page tables give; global pages
/// are found in every address space. Address-space tags are handed out anew at every flush, so that a flush costs
/// nothing until they run out; process-context identifiers map to tags.
///
/// INVLPG drops one page. Large pages are kept in pieces of 4 KiB; which regions have had such pieces is remembered
/// coarsely, and there INVLPG flushes everything, which the architecture allows.
public final class Tlb {
    /// Kinds of access.
    static final int READ = 0;

    static final int WRITE = 1;
    static final int FETCH = 2;

    /// Sets of rights: application, supervisor under SMAP, supervisor without (or with AC set), and application
    /// with alignment checks, which has no fast entries.
    public static final int USER = 0;

    public static final int SUPERVISOR_SMAP = 1;
    public static final int SUPERVISOR = 2;
    public static final int USER_ALIGNED = 3;

    private static final int CONTEXTS = 4;
    private static final int FAST_ENTRIES = 1024;
    static final int FAST_MASK = FAST_ENTRIES - 1 << 1;
    private static final int SECOND_ENTRIES = 4096;
    private static final int SECOND_MASK = SECOND_ENTRIES - 1 << 1;
    private static final int TAGS = 4096;
    private static final long PAGE = -4096L;
    private static final int REGION_WORDS = 64;
    private static final int FETCHED_BITS = 19;
    private static final int FETCHED_WORDS = 1 << FETCHED_BITS - 6;
    /// So many fetched pages are remembered that one in 32 others is taken for one of them.
    private static final int MOST_FETCHED = FETCHED_WORDS * 64 / 32;

    /// [#fastDelta] of a page that must not be accessed directly.
    public static final long NO_DELTA = Long.MIN_VALUE;

    /// A copy of the fast tables for generated code: told what to forget, always after the fact and on the
    /// processor's own thread. It may hold translations of the current address space, and global ones.
    public interface Mirror {
        /// Every page.
        void all();

        /// Every page that is not global.
        void local();

        /// One page under all rights, global or not.
        void page(long la);

        /// Writes to pages that hold code or, while the dirty log is kept, are clean.
        void guardedWrites();

        /// Writes to a backing page that holds code from now on.
        void writesTo(long page);

        /// What is known of the code at any address.
        void allCode();

        /// What is known of the code on pages that are not global.
        void localCode();
    }

    /// Told of stores while their fast way is closed; see [#observeStores].
    @FunctionalInterface
    public interface StoreObserver {
        /// Before a store of at most `size` bytes on one page.
        void storing(long gpa, int size);
    }

    /// The fast tables of the current rights.
    long[] read;

    long[] write;
    private long[] fetch;

    /// The current address-space tag: 1 to 4095; 0 marks global pages in the second level.
    long tag = 1;

    private final long[][] reads = new long[CONTEXTS][2 * FAST_ENTRIES];
    private final long[][] writes = new long[CONTEXTS][2 * FAST_ENTRIES];
    private final long[][] fetches = new long[CONTEXTS][2 * FAST_ENTRIES];
    private final long[] second = new long[2 * SECOND_ENTRIES];
    private final short[] tagOfContext = new short[TAGS];
    private final long[] largeRegions = new long[REGION_WORDS];
    /// Pages that have an entry for fetches, and perhaps some that have not: of this and other address spaces, and
    /// global ones.
    private final long[] fetchedLocal = new long[FETCHED_WORDS];

    private final long[] fetchedGlobal = new long[FETCHED_WORDS];
    private int fetched;
    private final long[] hugeRegions = new long[REGION_WORDS];
    private int lastTag = 1;
    private int processContext;
    private int context = SUPERVISOR;
    private final long[] generationOfTag = new long[TAGS];
    private long lastGeneration = 1;
    /// Generations of tags before this one are over.
    private long generationFloor = 1;
    private long globalGeneration = 1;
    private long localGeneration = 1;
    private @Nullable Mirror mirror;
    private @Nullable StoreObserver observer;
    /// A table without entries, while stores are observed.
    private final long[] closed = new long[2 * FAST_ENTRIES];

    private final Cpu cpu;
    private final GuestMemory memory;
    private final PageWalker walker;

    Tlb(Cpu cpu, GuestMemory memory) {
        this.cpu = cpu;
        this.memory = memory;
        walker = new PageWalker(cpu, memory);
        read = reads[SUPERVISOR];
        write = writes[SUPERVISOR];
        fetch = fetches[SUPERVISOR];
        tagOfContext[0] = 1;
    }

    /// Says who keeps a copy. It begins empty.
    public void mirror(Mirror copy) {
        mirror = copy;
    }

    /// From now on every store of the interpreter takes the slow way and is told to `who`; null ends that.
    public void observeStores(@Nullable StoreObserver who) {
        observer = who;
        select(context);
    }

    /// The set of rights of ordinary accesses: [#USER] to [#USER_ALIGNED].
    public int context() {
        return context;
    }

    /// What to add to the address of a read or write to get its backing offset, or [#NO_DELTA] if the page has to
    /// be accessed with more thought.
    ///
    /// @throws GuestFault if the access faults
    public long fastDelta(long la, boolean write) {
        long[] table = write ? this.write : read;
        int i = (int) (la >>> 11) & FAST_MASK;
        long wanted = la & PAGE | tag;
        if (table[i] != wanted) {
            translate(la, write ? WRITE : READ, 1);
            if (table[i] != wanted) {
                return NO_DELTA;
            }
        }
        return table[i + 1];
    }

    /// Whether [#fastDelta] would answer without walking page tables.
    public boolean isFast(long la, boolean write) {
        long[] table = write ? this.write : read;
        return table[(int) (la >>> 11) & FAST_MASK] == (la & PAGE | tag);
    }

    /// Whether the page of `la`, which has been read or fetched with the current rights, is the same in every
    /// address space.
    public boolean isGlobal(long la, boolean code) {
        long page = la & PAGE;
        if (second[(int) (page >>> 11) & SECOND_MASK] != (page | tag) && !isKnownGlobal(page)) {
            try {
                var _ = walk(la, code ? FETCH : READ);
            } catch (GuestFault changed) {
                return false;
            }
        }
        boolean global = isKnownGlobal(page);
        if (code && global) {
            noteFetched(fetchedGlobal, page);
        }
        return global;
    }

    private boolean isKnownGlobal(long page) {
        return page != 0 && second[(int) (page >>> 11) & SECOND_MASK] == page;
    }

    // ---------------------------------------------------------------- rights

    /// Chooses the rights of ordinary accesses.
    void select(int newContext) {
        context = newContext;
        read = reads[newContext];
        write = observer == null ? writes[newContext] : closed;
        fetch = fetches[newContext];
    }

    /// Switches to supervisor rights, SMAP enforced; answers what [#leaveSystem] needs.
    int enterSystem() {
        int old = context;
        select(cpu.smapEnabled() ? SUPERVISOR_SMAP : SUPERVISOR);
        return old;
    }

    void leaveSystem(int oldContext) {
        select(oldContext);
    }

    // ---------------------------------------------------------------- translation

    /// The guest-physical address of `la` for an access of `size` bytes, of which those on another page are not
    /// looked at; fills the fast table where that is allowed.
    ///
    /// @throws GuestFault `#GP(0)` if not canonical, `#PF`, `#AC`
    long translate(long la, int kind, int size) {
        if (context == USER_ALIGNED && kind != FETCH && (la & size - 1) != 0 && Integer.bitCount(size) == 1) {
            throw cpu.ac();
        }
        long page = la & PAGE;
        long entry = lookUp(page, kind);
        if (entry < 0) {
            entry = walk(la, kind);
        }
        long gpa = entry & PageWalker.ADDRESS | la & 0xFFF;
        if (kind == WRITE && observer != null) {
            observer.storing(gpa, size);
        } else {
            fill(page, entry & PageWalker.ADDRESS, kind);
        }
        return gpa;
    }

    /// The backing offset of code at `la`, or a negative number where there is none or it cannot be fetched.
    public long codeAt(long la) {
        int i = (int) (la >>> 11) & FAST_MASK;
        if (fetch[i] == (la & PAGE | tag)) {
            return la + fetch[i + 1];
        }
        try {
            return translateFetch(la);
        } catch (GuestFault fault) {
            return -1;
        }
    }

    /// The backing offset of code at `la`, or, where there is no memory, `-2 - gpa`.
    public long translateFetch(long la) {
        int i = (int) (la >>> 11) & FAST_MASK;
        if (fetch[i] == (la & PAGE | tag)) {
            return la + fetch[i + 1];
        }
        long gpa = translate(la, FETCH, 1);
        long at = memory.offsetOf(gpa);
        return at >= 0 ? at : -2 - gpa;
    }

    private long lookUp(long page, int kind) {
        int i = (int) (page >>> 11) & SECOND_MASK;
        long found = second[i];
        if (found == (page | tag) || found == page && page != 0) {
            long entry = second[i + 1];
            if ((kind != WRITE || (entry & PageWalker.DIRTY) != 0) && permits(entry, kind)) {
                return entry;
            }
        }
        return -1;
    }

    private long walk(long la, int kind) {
        if (!cpu.isCanonical(la)) {
            throw cpu.gp(0);
        }
        long entry;
        while (true) {
            entry = walker.walk(la, kind);
            if (entry < 0) {
                throw cpu.pf(la, (int) (-1 - entry) | accessBits(kind));
            }
            if (!permits(entry, kind)) {
                throw cpu.pf(la, 1 | accessBits(kind));
            }
            // the accessed and dirty bits; once more if another processor changed an entry meanwhile
            if (walker.noteAccess(kind == WRITE)) {
                break;
            }
        }
        long page = la & PAGE;
        int i = (int) (page >>> 11) & SECOND_MASK;
        second[i] = (entry & PageWalker.GLOBAL) != 0 && page != 0 ? page : page | tag;
        second[i + 1] = entry;
        if ((entry & PageWalker.LARGE) != 0) {
            boolean huge = (entry & PageWalker.HUGE) != 0;
            noteRegion(huge ? hugeRegions : largeRegions, huge ? la >>> 30 : la >>> 21);
        }
        return entry;
    }

    /// Bits 1, 2 and 4 of a page fault's error code.
    private int accessBits(int kind) {
        return (kind == WRITE ? 2 : 0)
                | (context == USER || context == USER_ALIGNED ? 4 : 0)
                | (kind == FETCH && cpu.fetchIsReported() ? 16 : 0);
    }

    private boolean permits(long entry, int kind) {
        boolean user = (entry & PageWalker.USER) != 0;
        if (context == USER || context == USER_ALIGNED) {
            return user
                    && switch (kind) {
                        case READ -> true;
                        case WRITE -> (entry & PageWalker.WRITABLE) != 0;
                        default -> (entry & PageWalker.EXECUTABLE) != 0;
                    };
        }
        if (kind == FETCH) {
            return (entry & PageWalker.EXECUTABLE) != 0 && !(user && cpu.smepEnabled());
        }
        if (user && context == SUPERVISOR_SMAP) {
            return false;
        }
        return kind == READ || (entry & PageWalker.WRITABLE) != 0 || !cpu.writeProtect();
    }

    private void fill(long page, long gpa, int kind) {
        if (context == USER_ALIGNED && kind != FETCH) {
            return;
        }
        long at = kind == WRITE ? memory.writableOffsetOf(gpa) : memory.offsetOf(gpa);
        if (at < 0) {
            return;
        }
        int i = (int) (page >>> 11) & FAST_MASK;
        if (kind == WRITE) {
            long number = at >>> GuestMemory.PAGE_SHIFT;
            if (memory.dirtyLogging() && !memory.isDirty(number) || memory.holdsCode(number) || cpu.watchesData(page)) {
                return;
            }
            write[i] = page | tag;
            write[i + 1] = at - page;
        } else if (kind == READ) {
            if (cpu.watchesData(page)) {
                return;
            }
            read[i] = page | tag;
            read[i + 1] = at - page;
        } else {
            noteFetched(isKnownGlobal(page) ? fetchedGlobal : fetchedLocal, page);
            fetch[i] = page | tag;
            fetch[i + 1] = at - page;
        }
    }

    private void noteFetched(long[] bits, long page) {
        int h = fetchedHash(page);
        if ((bits[h >>> 6] >>> h & 1) == 0) {
            if (fetched == MOST_FETCHED) {
                for (long[] table : fetches) {
                    Arrays.fill(table, 0);
                }
                forgetFetched();
                newFetchGeneration();
            }
            bits[h >>> 6] |= 1L << h;
            fetched++;
        }
    }

    private void forgetFetched() {
        if (fetched == 0) {
            return;
        }
        Arrays.fill(fetchedLocal, 0);
        Arrays.fill(fetchedGlobal, 0);
        fetched = 0;
    }

    private static boolean mayBeFetched(long[] bits, long page) {
        int h = fetchedHash(page);
        return (bits[h >>> 6] >>> h & 1) != 0;
    }

    private static int fetchedHash(long page) {
        return (int) ((page >>> 12) * 0x9E37_79B9_7F4A_7C15L >>> 64 - FETCHED_BITS);
    }

    private static void noteRegion(long[] bits, long number) {
        int h = hash(number);
        bits[h >>> 6] |= 1L << h;
    }

    private static boolean mayHave(long[] bits, long number) {
        int h = hash(number);
        return (bits[h >>> 6] >>> h & 1) != 0;
    }

    private static int hash(long number) {
        return (int) (number * 0x9E37_79B9_7F4A_7C15L >>> 52);
    }

    // ---------------------------------------------------------------- flushes

    /// The generation of what is known now about the code at linear address `la`, which has just been fetched. It
    /// is over when the address may mean other code, and comes back with its address space.
    long fetchGeneration(long la) {
        long page = la & PAGE;
        if (!isKnownGlobal(page)) {
            return localGeneration;
        }
        noteFetched(fetchedGlobal, page);
        return globalGeneration;
    }

    /// The generation of code on global pages.
    public long globalGeneration() {
        return globalGeneration;
    }

    /// The generation of other code in this address space.
    public long localGeneration() {
        return localGeneration;
    }

    /// Whether what was known in a generation holds.
    boolean isCurrent(long generation) {
        return generation == globalGeneration || generation == localGeneration;
    }

    /// What addresses mean as code is to be found out anew.
    void newFetchGeneration() {
        generationFloor = ++lastGeneration;
        globalGeneration = lastGeneration;
        newLocalFetchGeneration();
        if (mirror != null) {
            mirror.allCode();
        }
    }

    /// As [#newFetchGeneration], but code on global pages and in other address spaces is what it was.
    private void newLocalFetchGeneration() {
        generationOfTag[(int) tag] = ++lastGeneration;
        enterFetchGeneration();
    }

    /// The address space has changed.
    private void enterFetchGeneration() {
        int current = (int) tag;
        if (generationOfTag[current] <= generationFloor) {
            generationOfTag[current] = ++lastGeneration;
        }
        localGeneration = generationOfTag[current];
        if (mirror != null) {
            mirror.localCode();
        }
    }

    /// Everything, global pages and all process contexts.
    public void flushAll() {
        Arrays.fill(second, 0);
        Arrays.fill(largeRegions, 0);
        Arrays.fill(hugeRegions, 0);
        Arrays.fill(tagOfContext, (short) 0);
        forgetFetched();
        tag = newTag();
        tagOfContext[processContext] = (short) tag;
        newFetchGeneration();
        if (mirror != null) {
            mirror.all();
        }
    }

    /// All but global pages, of one process context.
    public void flushContext(int pcid) {
        if (pcid == processContext) {
            tag = newTag();
            tagOfContext[pcid] = (short) tag;
            enterFetchGeneration();
            if (mirror != null) {
                mirror.local();
            }
        } else {
            tagOfContext[pcid] = 0;
        }
    }

    /// Makes a process context current; what it had before is kept.
    void switchContext(int pcid) {
        processContext = pcid;
        int known = tagOfContext[pcid];
        if (known == tag) {
            return;
        }
        if (known == 0) {
            known = newTag();
            tagOfContext[pcid] = (short) known;
        }
        tag = known;
        enterFetchGeneration();
        if (mirror != null) {
            mirror.local();
        }
    }

    /// When tags run out, all that has one is forgotten, and with it which pages were fetched: so is what is
    /// known of code on global pages.
    private int newTag() {
        if (lastTag == TAGS - 1) {
            for (int i = 0; i < CONTEXTS; i++) {
                Arrays.fill(reads[i], 0);
                Arrays.fill(writes[i], 0);
                Arrays.fill(fetches[i], 0);
            }
            Arrays.fill(second, 0);
            Arrays.fill(largeRegions, 0);
            Arrays.fill(hugeRegions, 0);
            Arrays.fill(tagOfContext, (short) 0);
            lastTag = 0;
            forgetFetched();
            globalGeneration = ++lastGeneration;
            if (mirror != null) {
                mirror.all();
                mirror.allCode();
            }
        }
        generationOfTag[++lastTag] = 0;
        return lastTag;
    }

    /// INVLPG: one page in the current address space, global or not.
    public void flushPage(long la) {
        if (mayHave(hugeRegions, la >>> 30) || mayHave(largeRegions, la >>> 21)) {
            flushAll();
            return;
        }
        long page = la & PAGE;
        int s = (int) (page >>> 11) & SECOND_MASK;
        if ((second[s] & PAGE) == page) {
            second[s] = 0;
        }
        int i = (int) (page >>> 11) & FAST_MASK;
        for (int c = 0; c < CONTEXTS; c++) {
            drop(reads[c], i, page);
            drop(writes[c], i, page);
            drop(fetches[c], i, page);
        }
        if (mirror != null) {
            mirror.page(la);
        }
        if (mayBeFetched(fetchedGlobal, page)) {
            newFetchGeneration();
        } else if (mayBeFetched(fetchedLocal, page)) {
            newLocalFetchGeneration();
        }
    }

    /// INVPCID for one page of another process context.
    public void flushPage(int pcid, long la) {
        if (pcid == processContext) {
            flushPage(la);
        } else {
            tagOfContext[pcid] = 0;
        }
    }

    private static void drop(long[] table, int i, long page) {
        if ((table[i] & PAGE) == page) {
            table[i] = 0;
        }
    }

    /// Empties the fast tables: rights have changed in a way that their sets do not tell apart.
    void flushFast() {
        for (int c = 0; c < CONTEXTS; c++) {
            Arrays.fill(reads[c], 0);
            Arrays.fill(writes[c], 0);
            Arrays.fill(fetches[c], 0);
        }
        forgetFetched();
        newFetchGeneration();
        if (mirror != null) {
            mirror.all();
        }
    }

    /// Drops fast write entries for pages that hold code or, while the dirty log is kept, are clean.
    void dropGuardedWrites() {
        dropGuarded();
        if (mirror != null) {
            mirror.guardedWrites();
        }
    }

    /// As [#dropGuardedWrites] when one more page holds code.
    void dropWritesTo(long page) {
        dropGuarded();
        if (mirror != null) {
            mirror.writesTo(page);
        }
    }

    private void dropGuarded() {
        boolean logging = memory.dirtyLogging();
        for (long[] table : writes) {
            for (int i = 0; i < table.length; i += 2) {
                if (table[i] != 0) {
                    long number = (table[i] & PAGE) + table[i + 1] >>> GuestMemory.PAGE_SHIFT;
                    if (memory.holdsCode(number) || logging && !memory.isDirty(number)) {
                        table[i] = 0;
                    }
                }
            }
        }
    }
}
