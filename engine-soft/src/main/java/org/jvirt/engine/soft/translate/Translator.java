package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.emit.CodeMode;
import org.jvirt.engine.soft.translate.emit.ExitReason;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.engine.soft.translate.emit.Stubs;
import org.jvirt.engine.soft.translate.memory.CodeLines;
import org.jvirt.engine.soft.translate.memory.LockedCode;
import org.jvirt.engine.soft.translate.memory.NativeTables;
import org.jvirt.engine.soft.translate.memory.ShadowPages;
import org.jvirt.engine.soft.translate.memory.StateBlock;
import org.jvirt.engine.soft.translate.store.BuildIdentity;
import org.jvirt.engine.soft.translate.store.CodeStore;
import org.jvirt.engine.soft.translate.store.StoreReader;
import org.jvirt.engine.soft.translate.vector.HostCpu;
import org.jvirt.engine.soft.translate.vector.VectorState;
import org.jvirt.engine.soft.translate.vector.VectorUse;
import org.jvirt.engine.soft.translate.vector.X87State;
import org.jvirt.linux.NativeCode;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CodeWriter;

/// One processor's translator: makes host code of guest code and runs it.
///
/// ```
/// Interpreter ── run(block) ──→ enter ──→ block → block → … ──→ exit ──┐
///      ↑                          ↑                                    │
///      │                          ├── TLB filled, vectors loaded ──────┤
///      └── Outcome, registers in Cpu ──────────────────────────────────┘
/// ```
///
/// While generated code runs, registers are in the host's and in the [StateBlock]; between [#run]s they are in
/// [Cpu], vector registers only when somebody asks for them. Owner thread only.
public final class Translator implements Cpu.VectorHolder, AutoCloseable {
    private static final int DEFAULT_MXCSR = 0x1F80;
    private static final long ADDRESSES_32 = 0xFFFF_FFFFL;
    private static final int PAGE = 4096;

    /// What is to be done at [Cpu#rip] after [#run].
    public enum Outcome {
        /// Nothing special.
        GO_ON,
        /// The interpreter is to execute one instruction.
        INTERPRET,
        /// Somebody wants something.
        REQUESTED
    }

    private final Cpu cpu;
    private final StateBlock state;
    private final CodeCache cache;
    private final Sites sites = new Sites();
    private final NativeTables tables;
    private final BlockTranslator translator;
    private final InterpretedInstructions interpreted;
    private final TranslatorCounters counters;
    private final MemorySegment enterCode;
    private final Stubs stubs;
    private final boolean needsAvx;
    /// What the jump table of 32-bit code is for, by rights.
    private final int[] modes32 = new int[StateLayout.CONTEXTS];
    private final X87State x87 = new X87State();
    private final Cpu.VectorHolder x87Holder = this::giveBackX87;
    /// Copies to run on while blocks are verified.
    private final @Nullable ShadowPages shadow;
    private final LoopingBlocks looping;
    private final @Nullable CodeLines codeLines;

    /// What has been translated before, and who adds to it.
    private final @Nullable StoreReader reader;

    private final @Nullable KeptBlocks kept;
    private final @Nullable CodeKeeper keeper;
    private final CodeWriter writer = new CodeWriter();
    private int dependsFrom;
    private int dependsTo;

    private final RecentTargets targets = new RecentTargets();
    private final PlacedPages pages;
    private TranslatedBlock.@Nullable Exit pending;
    private boolean complete;
    private final Consumer<TranslatedBlock> evicting = this::evict;
    /// An access has been left to Java, and pages that its fault is delivered by are to be looked up.
    private boolean faultLeft;

    public Translator(Cpu cpu, GuestFeatures guest, TranslatorSettings settings) {
        this.cpu = cpu;
        HostCpu host = HostCpu.read();
        needsAvx = cpu.has(CpuFeature.AVX);
        interpreted = new InterpretedInstructions(cpu.processors().memory().backing());
        counters = new TranslatorCounters(interpreted);
        state = new StateBlock(cpu);
        state.setInt(StateLayout.HOST_MXCSR, DEFAULT_MXCSR);
        cache = new CodeCache("jvirt-code" + cpu.index(), settings.cacheBytes());
        stubs = new Stubs(writer, new Transfer(host));
        LockedCode.Places locked = LockedCode.write(writer);
        cache.keep(writer);
        long[] unknown = new long[StateLayout.JUMP_TABLES];
        Arrays.setAll(unknown, table -> cache.address(stubs.unknownTarget(table)));
        tables = new NativeTables(cpu, state, sites, unknown);
        looping = new LoopingBlocks(state, sites, this::invalidate);
        translator = new BlockTranslator(cpu.processors().memory().backing(), cache, writer, stubs, sites, host, guest);
        enterCode = MemorySegment.ofAddress(cache.address(stubs.enter()));
        // what is kept has effects that verification leaves out
        CodeStore store = (settings.verification() == 0 ? settings.store() : Optional.<Path>empty())
                .map(directory -> CodeStore.of(Optional.of(directory), version(cpu, host)))
                .orElse(null);
        reader = store == null
                ? null
                : new StoreReader(store, cpu.processors().memory().backing());
        pages = new PlacedPages(cache, tables, counters, reader, this::invalidate);
        kept = reader == null ? null : new KeptBlocks(cpu, reader, cache, pages, targets, counters, this::makeRoom);
        keeper = store == null ? null : new CodeKeeper(store, stubs, host, guest);
        shadow = settings.verification() == 0
                ? null
                : new ShadowPages(cpu.processors().memory(), "jvirt-verify" + cpu.index());
        if (shadow != null) {
            tables.shadow(shadow);
            state.leaveWalks();
            translator.leaveEffects();
        }
        codeLines = shadow == null && cpu.processors().count() == 1
                ? new CodeLines(state, cpu.processors().memory())
                : null;
        cpu.mmu.tlb.mirror(tables);
        long backing = cpu.processors().memory().backing().address();
        cpu.mmu.lockWith(new LockedCode(backing, locked, cache::address));
        cpu.signals.listener(state);
    }

    /// All that translations depend on beside the guest's code.
    private static String version(Cpu cpu, HostCpu host) {
        var guest = EnumSet.noneOf(CpuFeature.class);
        for (CpuFeature feature : CpuFeature.values()) {
            if (cpu.has(feature)) {
                guest.add(feature);
            }
        }
        return BuildIdentity.of(
                List.of(Translator.class, CodeWriter.class),
                List.of(new TreeSet<>(host.features()).toString(), guest.toString()));
    }

    private record Transfer(HostCpu host) implements Stubs.VectorTransfer {
        @Override
        public void emitLoad(CodeWriter code) {
            VectorState.emitLoad(code, host);
        }

        @Override
        public void emitSave(CodeWriter code) {
            VectorState.emitSave(code, host);
        }

        @Override
        public void emitX87Load(CodeWriter code) {
            X87State.emitLoad(code);
        }

        @Override
        public void emitX87Save(CodeWriter code) {
            X87State.emitSave(code);
        }
    }

    /// Whether the processor is in a mode whose code can be translated.
    public boolean isReady() {
        return mode() != CodeMode.NONE;
    }

    /// The processor's [CodeMode].
    private int mode() {
        int rights = cpu.mmu.tlb.context();
        boolean knownLevel = cpu.cpl() == 0 || cpu.cpl() == 3;
        if (rights == Tlb.USER_ALIGNED || !knownLevel) {
            return CodeMode.NONE;
        }
        return cpu.longMode64() ? CodeMode.of64(rights) : mode32(rights);
    }

    private int mode32(int rights) {
        if (!cpu.protectedMode() || cpu.codeSize() != CodeSize.CODE32 || cpu.stackMask() != ADDRESSES_32) {
            return CodeMode.NONE;
        }
        int segments = cpu.segments.flatness();
        return segments < 0 || cpu.rip > ADDRESSES_32 ? CodeMode.NONE : CodeMode.of32(rights, segments);
    }

    /// What generated code knows of pages with code; null if it leaves all stores to them to Java.
    public @Nullable CodeLines codeLines() {
        return codeLines;
    }

    public TranslatorCounters counters() {
        counters.walked(state.getInt(StateLayout.WALKED));
        counters.faulted(state.getInt(StateLayout.FAULTED));
        counters.passed(state.getInt(StateLayout.PASSED));
        return counters;
    }

    /// How often the code cache has begun anew, giving up what was there.
    public long evictions() {
        return counters.rounds;
    }

    /// Counts an execution of a block that is not for translation, at a backing offset.
    public void leftOut(long at) {
        counters.untranslatable++;
        interpreted.count(at);
    }

    // ---------------------------------------------------------------- translations

    /// The valid translation among `first` and its siblings for the processor's address and rights.
    public @Nullable TranslatedBlock find(@Nullable TranslatedBlock first) {
        if (first == null) {
            return null;
        }
        int context = mode();
        boolean apart = wantsApart();
        TranslatedBlock known = first.sibling(cpu.rip, context, apart);
        if (known == null && pages.bring(first.page, context, cpu.rip)) {
            known = first.sibling(cpu.rip, context, apart);
        }
        return known;
    }

    /// Whether a shared check has failed, so that the block wanted is one that checks each access by itself.
    private boolean wantsApart() {
        return pending != null && pending.isApart() && pending.target() == cpu.rip;
    }

    /// Translates what is at [Cpu#rip]: up to `limit` instructions that begin at backing offset `at` and lie on one
    /// page, or one that goes on on `secondPage`. Null if the first of them is not for translation.
    public @Nullable TranslatedBlock translate(
            long at, long secondPage, int limit, @Nullable TranslatedBlock siblings) {
        boolean apart = wantsApart();
        makeRoom();
        TranslatedBlock block = translator.translate(at, secondPage, cpu.rip, mode(), limit, apart);
        if (block != null) {
            counters.translated++;
            note(block, siblings);
            dependsFrom = translator.forecastFrom();
            dependsTo = translator.forecastTo();
            if (keeper != null && !CodeMode.is32(block.context)) {
                int start = (int) at & PAGE - 1;
                int end = block.crosses ? start + block.guestBytes : Math.min(start + block.guestBytes, PAGE);
                keeper.note(
                        translator.page(),
                        Math.min(start, dependsFrom),
                        Math.max(end - 1, dependsTo),
                        limit,
                        block,
                        writer);
            }
            looping.add(block);
        }
        return block;
    }

    private void note(TranslatedBlock block, @Nullable TranslatedBlock siblings) {
        pages.add(block);
        block.precede(siblings);
        counters.cacheBytes = cache.used();
    }

    /// Another number when what was not found in the store may be found: others have added to it, or the
    /// processor is in another mode. Never negative.
    public int storeState() {
        int added = reader == null || keeper == null ? 0 : reader.growth() - keeper.additions();
        return added << Byte.SIZE & Integer.MAX_VALUE | mode() & 0xFF;
    }

    /// As [#translate], from what has been translated before: by another processor, or an earlier process. Null if
    /// there is nothing.
    ///
    /// @param taker has the blocks of the page; null if no others are to come along
    public @Nullable TranslatedBlock recall(
            long at, long secondPage, @Nullable TranslatedBlock siblings, @Nullable Neighbours taker) {
        int context = mode();
        if (kept == null || CodeMode.is32(context)) {
            return null;
        }
        TranslatedBlock block = kept.recall(at, secondPage, context, wantsApart(), siblings, taker);
        if (block != null) {
            looping.add(block);
            dependsFrom = kept.dependsFrom();
            dependsTo = kept.dependsTo();
        }
        return block;
    }

    /// How many bytes of guest code a translation stands for, at most.
    public int guestBytes(TranslatedBlock block) {
        return block.guestBytes;
    }

    /// The first offset in the page that the last translation depends on beside its own code.
    public int dependsFrom() {
        return dependsFrom;
    }

    /// The last such offset, or -1 if there is none.
    public int dependsTo() {
        return dependsTo;
    }

    /// Gives up a translation and its siblings: the guest's code has changed.
    public void discard(@Nullable TranslatedBlock first) {
        for (TranslatedBlock block = first; block != null; block = block.nextOfSameCode) {
            if (block.valid) {
                counters.invalidated++;
                invalidate(block);
            }
        }
    }

    private void invalidate(TranslatedBlock block) {
        block.valid = false;
        targets.forget(block);
        block.unlinkIncoming(exit -> cache.link(exit.jump(), exit.unlinked()));
        block.unlinkOutgoing();
        tables.unlink(block.rip, block.context, cache.address(block.start));
        pages.remove(block);
        if (pending != null && pending.from == block) {
            pending = null;
        }
    }

    private void makeRoom() {
        if (cache.makeRoom(evicting)) {
            counters.rounds++;
            counters.tell(cpu.index());
            sites.clear();
        }
    }

    private void evict(TranslatedBlock block) {
        if (block.valid) {
            counters.evicted++;
            invalidate(block);
        }
    }

    // ---------------------------------------------------------------- execution

    /// Executes a block, which is for the processor's address and rights, and whatever follows.
    public Outcome run(TranslatedBlock block) {
        if (CodeMode.is32(block.context)) {
            choose32(block.context);
        }
        TranslatedBlock.Exit from = pending;
        pending = null;
        if (from != null && isWay(from, block)) {
            if (!from.isLinked()) {
                cache.link(from, block);
            }
        } else if (shadow == null && !block.apart) {
            lead(block);
        }
        return enter(block);
    }

    private Outcome enter(TranslatedBlock block) {
        if (!block.apart) {
            targets.put(block);
        }
        pages.use(block);
        state.enter(cpu);
        cpu.leave = false;
        if (faultLeft) {
            faultLeft = false;
            tables.noteForFaults(cpu.cpl() == 0 ? cpu.r[Cpu.RSP] : -1);
        }
        return execute(cache.address(block.entryFirst()));
    }

    /// Lets indirect branches find a block, which the processor's address leads to.
    private void lead(TranslatedBlock block) {
        block.isTarget |= !block.crosses;
        tables.link(block.rip, block.context, cache.address(block.start), block.page, block.crosses);
    }

    /// The jump table of 32-bit code has only blocks that use FS and GS alike.
    private void choose32(int mode) {
        int rights = CodeMode.rights(mode);
        if (modes32[rights] != mode) {
            modes32[rights] = mode;
            tables.unlinkAll();
        }
    }

    // ---------------------------------------------------------------- verification

    /// As [#run], but nothing follows the block, and what it stores goes to copies. Links lead only to blocks that
    /// [#run] has executed, and while blocks are verified it makes none for indirect branches.
    ///
    /// @param again on the copies of the last time, without the interpreter's stores since
    public Outcome runAlone(TranslatedBlock block, ShadowPages copies, boolean again) {
        pending = null;
        if (again) {
            copies.again();
        } else {
            copies.begin();
            counters.verified++;
        }
        // no entry leads to the guest's own pages
        tables.all();
        complete = false;
        Outcome outcome = enter(block);
        cpu.takeVectors();
        tables.all();
        copies.stop();
        pending = null;
        return outcome;
    }

    /// The copies for [#runAlone], if blocks are verified.
    public @Nullable ShadowPages shadow() {
        return shadow;
    }

    /// Whether the last run of a block has come to its end.
    public boolean isComplete() {
        return complete;
    }

    /// How many instructions the block executes from its start to its end.
    public int instructions(TranslatedBlock block) {
        return block.instructions;
    }

    /// Host code and guest code of a block, for a person.
    public String text(TranslatedBlock block) {
        return BlockText.of(block, cache, cpu.processors().memory().backing(), stubs);
    }

    /// Whether the exit leads to the block: at the same address on the same page under the same rights.
    private static boolean isWay(TranslatedBlock.Exit from, TranslatedBlock to) {
        return from.target() == to.rip
                && from.isApart() == to.apart
                && !to.crosses
                && from.from.page == to.page
                && from.from.context == to.context
                && from.from.valid;
    }

    private Outcome execute(long address) {
        long next = address;
        while (true) {
            int reason = NativeCode.enter(enterCode, state.address(), next);
            state.adoptRights();
            int site = cache.offset(state.getLong(StateLayout.EXIT_SITE));
            switch (reason) {
                case ExitReason.READ_MISS, ExitReason.WRITE_MISS -> {
                    boolean write = reason == ExitReason.WRITE_MISS;
                    long la = state.getLong(StateLayout.MISS_ADDRESS);
                    if (ExitReason.isMisaligned(cache.shortAt(site), la)
                            || !tables.fill(la, write, cpu.mmu.tlb.context())) {
                        return access(site);
                    }
                    counters.misses++;
                    next = cache.address(site - cache.shortAt(site + 2));
                }
                case ExitReason.POP_MISS, ExitReason.PUSH_MISS -> {
                    boolean push = reason == ExitReason.PUSH_MISS;
                    int word = cpu.longMode64() ? 8 : 4;
                    long la = state.getLong(StateLayout.REGISTERS + 8 * Cpu.RSP) - (push ? word : 0);
                    if (!tables.fillStack(la, word, push, cpu.mmu.tlb.context())) {
                        return access(site);
                    }
                    counters.misses++;
                    next = cache.address(site - cache.shortAt(site + 2));
                }
                case ExitReason.VECTORS -> {
                    TranslatedBlock block = cache.at(site);
                    if (!loadVectors()) {
                        return leave(block.rip, StateLayout.FLAGS, Outcome.INTERPRET);
                    }
                    next = cache.address(block.entryFirst());
                }
                case ExitReason.X87 -> {
                    TranslatedBlock block = cache.at(site);
                    if (!loadX87()) {
                        return leave(block.rip, StateLayout.FLAGS, Outcome.INTERPRET);
                    }
                    next = cache.address(block.entryFirst());
                }
                case ExitReason.INTERPRET -> {
                    counters.interpreted++;
                    return interpret(site);
                }
                case ExitReason.DIRECT -> {
                    counters.unlinked++;
                    TranslatedBlock.Exit exit = cache.at(site).exit(cache.byteAt(site));
                    complete = !exit.isApart();
                    TranslatedBlock known = recent(exit.target());
                    if (known != null && isWay(exit, known)) {
                        cache.link(exit, known);
                        next = cache.address(known.entryBehind());
                        continue;
                    }
                    pending = exit;
                    return leave(exit.target(), StateLayout.FLAGS, Outcome.GO_ON);
                }
                case ExitReason.INDIRECT -> {
                    counters.unknownTargets++;
                    complete = true;
                    long target = state.getLong(StateLayout.EXIT_TARGET) - state.getLong(StateLayout.EXIT_TARGET_BIAS);
                    if (!cpu.isCanonical(target)) {
                        return withdraw(cache.at(state.getInt(StateLayout.BRANCH)));
                    }
                    TranslatedBlock known = recent(target);
                    if (known != null) {
                        pages.use(known);
                        lead(known);
                        next = cache.address(known.entryBehind());
                        continue;
                    }
                    return leave(target, StateLayout.FLAGS, Outcome.GO_ON);
                }
                case ExitReason.REQUESTED -> {
                    counters.requests++;
                    counters.tellSometimes(cpu.index());
                    cache.releaseSometimes();
                    cpu.signals.nothingLeft();
                    looping.look();
                    return leave(cache.at(site).rip, StateLayout.FLAGS, Outcome.REQUESTED);
                }
                default -> throw new IllegalStateException("Generated code answered " + reason);
            }
        }
    }

    /// The translation at an address if it was there lately and the page is the same; none while blocks are
    /// verified one by one.
    private @Nullable TranslatedBlock recent(long rip) {
        if (shadow != null) {
            return null;
        }
        TranslatedBlock known = targets.get(rip, mode());
        boolean same = known != null && !known.crosses && cpu.mmu.tlb.codeAt(rip) >>> 12 == known.page;
        return same ? known : null;
    }

    private Outcome access(int site) {
        counters.slowAccesses++;
        faultLeft = shadow == null && state.getInt(StateLayout.FAULTS) != 0 && tables.lacksPageForFaults();
        return interpret(site);
    }

    private Outcome interpret(int site) {
        int where = cache.shortAt(site);
        TranslatedBlock block = cache.at(site);
        interpreted.count((block.page << 12) + (block.rip & 0xFFF) + ExitReason.offset(where));
        boolean saved = (where & ExitReason.FLAGS_SAVED) != 0;
        long rip = block.rip + ExitReason.offset(where);
        return leave(rip, saved ? StateLayout.SAVED_FLAGS : StateLayout.FLAGS, Outcome.INTERPRET);
    }

    /// Undoes the indirect branch at the end of a block, for the interpreter to fault at it.
    private Outcome withdraw(TranslatedBlock block) {
        complete = false;
        Outcome outcome = leave(block.rip + block.branchOffset, StateLayout.FLAGS, Outcome.INTERPRET);
        cpu.r[Cpu.RSP] -= block.branchReleases;
        return outcome;
    }

    private Outcome leave(long rip, int flagsAt, Outcome outcome) {
        state.leave(cpu, flagsAt);
        cpu.rip = rip;
        return outcome;
    }

    // ---------------------------------------------------------------- vector registers

    private boolean loadVectors() {
        if (!VectorState.mayLoad(cpu, VectorUse.SSE) || needsAvx && !VectorState.mayLoad(cpu, VectorUse.AVX)) {
            return false;
        }
        VectorState.toNative(cpu, state.segment(), 0);
        state.setInt(StateLayout.VECTORS_ABSENT, 0);
        cpu.holdVectors(this);
        return true;
    }

    @Override
    public void giveBack() {
        VectorState.toJava(cpu, state.segment(), 0);
        state.setInt(StateLayout.VECTORS_ABSENT, 1);
    }

    private boolean loadX87() {
        if (!X87State.mayLoad(cpu)) {
            return false;
        }
        x87.toNative(cpu, state.segment());
        state.setInt(StateLayout.X87_READY, 1);
        cpu.holdX87(x87Holder);
        return true;
    }

    private void giveBackX87() {
        x87.toJava(cpu, state.segment());
        state.setInt(StateLayout.X87_READY, 0);
    }

    @Override
    public void close() {
        cpu.signals.listener(null);
        counters.tell(cpu.index());
        if (keeper != null) {
            keeper.close();
        }
        if (reader != null) {
            reader.close();
        }
        state.close();
        if (codeLines != null) {
            codeLines.close();
        }
        cache.close();
        if (shadow != null) {
            shadow.close();
        }
    }
}
