package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.RunResult;
import org.jvirt.engine.soft.cpu.Boundary;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.SingleStep;

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

    public Interpreter(Cpu cpu) {
        this.cpu = cpu;
        boundary = new Boundary(cpu);
        singleStep = new SingleStep(cpu);
        cache = new BlockCache(cpu);
        builder = new BlockBuilder(cpu, cache);
        cpu.observeCode(cache);
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
                    if (first != null) {
                        chain(first);
                    }
                }
            }
        } finally {
            cpu.signals.exit();
        }
    }

    private void chain(Block first) {
        Block block = first;
        while (block != null && block.run(cpu) && !cpu.attention()) {
            block = following(block);
        }
    }

    private @Nullable Block following(Block block) {
        long rip = cpu.rip;
        Block known = block.linked(rip, cpu.fetchGeneration());
        return known != null ? known : unlinked(block);
    }

    private @Nullable Block unlinked(Block block) {
        Block found = next();
        if (found != null && found.at != Block.NOWHERE) {
            block.link(cpu.rip, cpu.fetchGeneration(), found);
        }
        return found;
    }

    /// The block at [Cpu#rip], or null if fetching it has raised a fault, which has been delivered.
    private @Nullable Block next() {
        long rip = cpu.rip;
        long generation = cpu.fetchGeneration();
        int i = (int) (rip ^ rip >>> 12) & JUMPS - 1;
        Block block = jumpBlocks[i];
        if (block != null
                && jumpRips[i] == rip
                && jumpGenerations[i] == generation
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
        block.run(cpu);
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
