package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Boundary;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.cpu.SingleStep;
import org.jvirt.engine.soft.translate.GuestFeatures;
import org.jvirt.engine.soft.translate.Neighbours;
import org.jvirt.engine.soft.translate.TranslatedBlock;
import org.jvirt.engine.soft.translate.Translator;
import org.jvirt.engine.soft.translate.memory.ShadowPages;
import org.jvirt.x86.CodeSize;

/// The run loop of one processor.
///
/// ```
/// run ── settle what waits ──┬─ step: one instruction alone (shadow, TF, breakpoints)
///   ^                        └─ chain: block after block, by links, then the jump cache, then the block cache
///   └──────── something changed, a fault, a request ─────────┘
/// ```
///
/// The methods are small so that each is compiled early and on its own. Owner thread only.
public final class Interpreter {
    private static final int JUMPS = 1 << 12;
    private static final int MAX_TRANSLATED = 48;
    /// Beside the mode key: a block of one instruction.
    private static final int ALONE = Cpu.MODE_KEYS;

    private final Cpu cpu;
    private final Boundary boundary;
    private final SingleStep singleStep;
    private final BlockCache cache;
    private final BlockBuilder builder;
    private final @Nullable Block[] jumpBlocks = new @Nullable Block[JUMPS];
    private final long[] jumpRips = new long[JUMPS];
    private final long[] jumpGenerations = new long[JUMPS];

    private final @Nullable Translator translator;
    private final TranslatorSettings settings;
    /// Executions of a block before it is translated.
    private final int threshold;

    private final @Nullable Verification verification;

    /// Interprets everything.
    public Interpreter(Cpu cpu) {
        this(cpu, null, TranslatorSettings.DEFAULT);
    }

    /// @param translator what executes hot 64-bit and 32-bit code, or null for nothing
    /// @param settings   those of the translator
    public Interpreter(Cpu cpu, @Nullable Translator translator, TranslatorSettings settings) {
        this.cpu = cpu;
        this.translator = translator;
        this.settings = settings;
        threshold = Math.min(settings.threshold(), Block.MOST_HEAT - 1);
        boundary = new Boundary(cpu);
        singleStep = new SingleStep(cpu);
        cache = new BlockCache(cpu);
        builder = new BlockBuilder(cpu, cache);
        cpu.observeCode(cache);
        if (translator != null) {
            cache.translator(translator);
            builder.recallBy(block -> recall(block, translator));
        }
        ShadowPages copies = translator == null ? null : translator.shadow();
        verification = translator == null || copies == null
                ? null
                : new Verification(cpu, translator, copies, builder, singleStep);
    }

    /// What the processor has in 64-bit and in 32-bit code, for a translator.
    public static GuestFeatures features(Cpu cpu) {
        var wide = new OpContext(CodeSize.CODE64, 8, true, false, false, cpu.cpuid());
        var narrow = new OpContext(CodeSize.CODE32, 4, true, false, false, cpu.cpuid());
        return new GuestFeatures(
                insn -> Operations.isAvailable(insn, insn.codeSize().isLong() ? wide : narrow),
                cpu.has(CpuFeature.ABM) && cpu.has(CpuFeature.BMI1));
    }

    /// Executes until somebody else must decide.
    public RunResult run() {
        cpu.signals.enter();
        try {
            while (true) {
                RunResult result = boundary.settle();
                if (result != null) {
                    return result;
                }
                cpu.leave = false;
                if (singleStep.needed()) {
                    step();
                } else {
                    singleStep.skip();
                    Block first = next();
                    if (first == null) {
                        continue;
                    }
                    if (translator == null) {
                        chain(first);
                    } else {
                        chain(first, translator);
                        if (verification != null && verification.report() != null) {
                            return new RunResult.Stuck(verification.report());
                        }
                    }
                }
            }
        } finally {
            cpu.signals.exit();
        }
    }

    private void chain(Block first) {
        Block block = first;
        while (block != null && builder.decoded(block).run(cpu) && !cpu.attention()) {
            block = following(block);
        }
    }

    /// As [#chain(Block)], with hot blocks in host code.
    private void chain(Block first, Translator by) {
        Block block = first;
        while (block != null) {
            TranslatedBlock hot = block.at == Block.NOWHERE ? null : translation(block, by);
            if (hot == null) {
                if (!builder.decoded(block).run(cpu) || cpu.attention()) {
                    return;
                }
                block = following(block);
                continue;
            }
            Translator.Outcome outcome = verification != null && hot.isOneOfFirst(settings.verification())
                    ? verification.run(block, hot)
                    : by.run(hot);
            switch (outcome) {
                case REQUESTED -> {
                    return;
                }
                case INTERPRET -> {
                    if (cpu.attention() || !one()) {
                        return;
                    }
                }
                case GO_ON -> {
                    // another block
                }
            }
            if (cpu.attention()) {
                return;
            }
            block = next();
        }
    }

    /// The translation of a block for where the processor is, made now if it is time.
    private @Nullable TranslatedBlock translation(Block block, Translator by) {
        if (!by.isReady()) {
            return null;
        }
        if (!block.isTranslatable()) {
            by.leftOut(block.at);
            return null;
        }
        TranslatedBlock known = by.find(block.translations);
        if (known != null) {
            return known;
        }
        int heat = block.heat();
        block.heat(heat + 1);
        if (!block.isSought() && recall(block, by)) {
            return block.translations;
        }
        return heat < threshold ? null : translate(block, by);
    }

    /// Looks once for what has been translated before: it was hot then.
    private boolean recall(Block block, Translator by) {
        block.soughtAt = by.storeState();
        TranslatedBlock recalled = by.isReady() ? lookFor(block, by) : null;
        if (recalled != null) {
            settle(block, recalled, by);
        }
        return recalled != null;
    }

    private @Nullable TranslatedBlock lookFor(Block block, Translator by) {
        // a block that is no more has no claim on its page
        Neighbours others = block.valid && block.secondPage() < 0 ? new Others(block.key, by) : null;
        return by.recall(block.at, block.secondPage(), block.translations, others);
    }

    /// The blocks that begin on the same page as one that is looked for, in the same mode.
    private final class Others implements Neighbours {
        private final int key;
        private final Translator by;

        Others(int key, Translator by) {
            this.key = key;
            this.by = by;
        }

        @Override
        public boolean takes(long at) {
            Block known = cache.find(at, key);
            return known == null || known.secondPage() < 0 && known.isTranslatable();
        }

        @Override
        public @Nullable TranslatedBlock translations(long at) {
            Block known = cache.find(at, key);
            return known == null ? null : known.translations;
        }

        @Override
        public void take(long at, TranslatedBlock made, int dependsFrom, int dependsTo) {
            Block block = cache.find(at, key);
            if (block == null) {
                block = new Block(at, key);
                cache.add(block);
            }
            settle(block, made, by, dependsFrom, dependsTo);
        }
    }

    private @Nullable TranslatedBlock translate(Block block, Translator by) {
        // it may go on where this block ends only for the interpreter's sake
        int count = block.secondPage() >= 0 ? 1 : MAX_TRANSLATED;
        TranslatedBlock made = block.soughtAt == by.storeState() ? null : lookFor(block, by);
        if (made == null) {
            made = by.translate(block.at, block.secondPage(), count, block.translations);
        }
        if (made == null) {
            block.untranslatable = true;
            return null;
        }
        settle(block, made, by);
        return made;
    }

    /// A translation of the block is there: it belongs to it, and the interpreter has done its part.
    private void settle(Block block, TranslatedBlock made, Translator by) {
        settle(block, made, by, by.dependsFrom(), by.dependsTo());
    }

    private void settle(Block block, TranslatedBlock made, Translator by, int dependsFrom, int dependsTo) {
        block.translations = made;
        block.soughtAt = Block.NEVER;
        block.heat(threshold);
        if (verification == null) {
            block.decoded = null;
        }
        if (settings.trace().isPresent()) {
            trace(made, by, settings.trace().getAsLong());
        }
        int first = (int) block.at & 0xFFF;
        int last = Math.min(first + by.guestBytes(made), 0x1000) - 1;
        block.dependsOn(Math.min(first, dependsFrom), Math.max(last, dependsTo));
        cache.dependsOnMore(block);
    }

    private void trace(TranslatedBlock made, Translator by, long address) {
        if (address == TranslatorSettings.TRACE_ALL || made.covers(address)) {
            settings.tracer().accept(by.text(made));
        }
    }

    /// Executes one instruction; whether nothing needs a look afterwards.
    private boolean one() {
        Block block;
        try {
            block = builder.at(cpu.modeKey() | ALONE);
        } catch (GuestFault fault) {
            cpu.interrupts.raise(fault);
            return false;
        }
        return builder.decoded(block).run(cpu);
    }

    private @Nullable Block following(Block block) {
        DecodedRun run = block.decoded;
        if (run == null) {
            // it has gone while it ran
            return next();
        }
        Block known = run.linked(cpu.rip, cpu);
        return known != null ? known : unlinked(run);
    }

    private @Nullable Block unlinked(DecodedRun run) {
        Block found = next();
        if (found != null && found.at != Block.NOWHERE) {
            run.link(cpu.rip, cpu.fetchGeneration(), found);
        }
        return found;
    }

    /// The block at [Cpu#rip], or null if fetching it has raised a fault, which has been delivered.
    private @Nullable Block next() {
        long rip = cpu.rip;
        int i = (int) (rip ^ rip >>> 12) & JUMPS - 1;
        Block block = jumpBlocks[i];
        if (block != null
                && jumpRips[i] == rip
                && cpu.isCurrent(jumpGenerations[i])
                && block.key == cpu.modeKey()
                && block.valid) {
            return block;
        }
        block = fetch(cpu.modeKey());
        // the lookup may have changed rip's spelling and, through a page walk, nothing else
        if (block != null && block.at != Block.NOWHERE) {
            i = (int) (cpu.rip ^ cpu.rip >>> 12) & JUMPS - 1;
            jumpBlocks[i] = block;
            jumpRips[i] = cpu.rip;
            jumpGenerations[i] = cpu.fetchGeneration();
        }
        return block;
    }

    private @Nullable Block fetch(int key) {
        try {
            return builder.at(key);
        } catch (GuestFault fault) {
            cpu.interrupts.raise(fault);
            return null;
        }
    }

    private void step() {
        Block block;
        try {
            cpu.normaliseRip();
            singleStep.begin(cpu.linearRip());
            block = builder.at(cpu.modeKey() | ALONE);
        } catch (GuestFault fault) {
            cpu.interrupts.raise(fault);
            return;
        }
        builder.decoded(block).run(cpu);
        singleStep.end();
    }

    /// Whether a block with this key has one instruction only.
    static boolean isAlone(int key) {
        return (key & ALONE) != 0;
    }

    /// Forgets all decoded code.
    public void forget() {
        cache.clear();
    }
}
