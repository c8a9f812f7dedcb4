package org.jvirt.engine.soft.code;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;

/// Finds the block at the instruction pointer, or decodes it.
///
/// A block ends after a control transfer or an instruction that may change how the next one is fetched or decoded,
/// before an instruction that crosses the page or the limit of CS, and after a maximum number. An instruction that
/// crosses is a block of its own.
final class BlockBuilder {
    private static final int MAX_INSTRUCTIONS = 48;
    private static final int PAGE = 4096;

    private final Cpu cpu;
    private final BlockCache cache;
    private final MemorySegment ram;
    private final Decoder decoder = new Decoder();
    private final Instruction instruction = new Instruction();
    private final @Nullable OpContext[] contexts = new @Nullable OpContext[Cpu.MODE_KEYS];
    /// The rest of a page, and room for the part of an instruction on the next.
    private final byte[] bytes = new byte[PAGE + Decoder.MAX_LENGTH];
    private final List<Op> ops = new ArrayList<>(MAX_INSTRUCTIONS);
    private Recall recall = block -> false;

    /// Looks for a translation of the processor's code that has been made before.
    interface Recall {
        /// Whether there is one, which then is the block's. Nothing of the block is decoded.
        boolean into(Block block);
    }

    BlockBuilder(Cpu cpu, BlockCache cache) {
        this.cpu = cpu;
        this.cache = cache;
        ram = cpu.processors().memory().backing();
    }

    /// From now on asks for a translation before it decodes.
    void recallBy(Recall source) {
        recall = source;
    }

    /// The block at the instruction pointer in the current mode, which `key` names. It may be one that has never
    /// been decoded or is not any more, but not if it is for one execution.
    ///
    /// @throws org.jvirt.engine.soft.cpu.GuestFault of the fetch
    Block at(int key) {
        cpu.normaliseRip();
        if (!cpu.codeAllows(cpu.rip, 1)) {
            throw cpu.gp(0);
        }
        long la = cpu.linearRip();
        long at = cpu.mmu.tlb.translateFetch(la);
        if (at < 0) {
            return fromDevice(la, key);
        }
        Block known = cache.find(at, key);
        if (known != null) {
            if (known.secondPage() >= 0 && known.secondPage() != secondPage(la)) {
                cache.remove(known);
            } else if (cpu.codeAllows(cpu.rip, known.length())) {
                return known;
            } else {
                return decodeOnce(la, at, key);
            }
        }
        return decode(la, at, key);
    }

    /// The backing page of the next linear page, or -2 where it is no memory.
    private long secondPage(long la) {
        long at = cpu.mmu.tlb.translateFetch(cpu.nextPage(la));
        return at < 0 ? -2 : at >>> GuestMemory.PAGE_SHIFT;
    }

    private OpContext context(int key) {
        int mode = key & Cpu.MODE_KEYS - 1;
        OpContext known = contexts[mode];
        if (known == null) {
            known = cpu.opContext();
            contexts[mode] = known;
        }
        return known;
    }

    private Block decode(long la, long at, int key) {
        long page = at >>> GuestMemory.PAGE_SHIFT;
        cache.makeRoom();
        cache.claim(page);
        boolean kept = false;
        try {
            var sought = new Block(at, key);
            if (isRecalled(sought)) {
                kept = true;
                return sought;
            }
            int available = load(at);
            int length = decodeRun(context(key), key, available);
            Block block;
            if (length > 0) {
                block = new Block(at, key, run(length), -1, length);
                block.soughtAt = sought.soughtAt;
            } else if (length < 0) {
                // ends at the limit of CS: good for this once
                return once(key, -length);
            } else {
                block = decodeCrossing(la, at, key, available);
                if (block.at == Block.NOWHERE) {
                    return block;
                }
            }
            cache.add(block);
            kept = true;
            cache.decoded(block);
            return block;
        } finally {
            if (!kept) {
                cache.unclaim(page);
            }
        }
    }

    /// Whether a block is of a translation that has been made before; not looked for if it can be an instruction
    /// that crosses the page.
    private boolean isRecalled(Block block) {
        if (Interpreter.isAlone(block.key)
                || (block.at & PAGE - 1) > PAGE - Decoder.MAX_LENGTH
                || !recall.into(block)) {
            return false;
        }
        cache.add(block);
        return true;
    }

    private DecodedRun run(int length) {
        return new DecodedRun(ops.toArray(Op[]::new), length);
    }

    private Block once(int key, int length) {
        return new Block(Block.NOWHERE, key, run(length), -1, length);
    }

    private Block decodeOnce(long la, long at, int key) {
        int length = Math.abs(decodeRun(context(key), key, load(at)));
        return length == 0 ? decodeCrossing(la, at, key, load(at)) : once(key, length);
    }

    /// What the interpreter executes of a block that the processor is at: decoded now if it is not yet, or not any
    /// more.
    DecodedRun decoded(Block block) {
        DecodedRun known = block.decoded;
        return known != null ? known : decodeAgain(block);
    }

    private DecodedRun decodeAgain(Block block) {
        int available = load(block.at);
        OpContext context = context(block.key);
        int length = block.secondPage() < 0
                ? decodeRun(context, block.key, available)
                : decodeBoth(context, available, block.secondPage());
        if (length <= 0) {
            throw new IllegalStateException("The block at offset 0x%x has no whole instruction".formatted(block.at));
        }
        DecodedRun run = run(length);
        if (block.valid) {
            block.decoded(run);
            cache.decoded(block);
        }
        return run;
    }

    /// Decodes one instruction that begins on the page that is loaded; answers its length.
    private int decodeBoth(OpContext context, int available, long secondPage) {
        MemorySegment.copy(
                ram, ValueLayout.JAVA_BYTE, secondPage << GuestMemory.PAGE_SHIFT, bytes, available, Decoder.MAX_LENGTH);
        VarHandle.acquireFence();
        ops.clear();
        DecodeResult result = decoder.decode(bytes, 0, available + Decoder.MAX_LENGTH, context.codeSize(), instruction);
        int length = result == DecodeResult.OK ? instruction.length() : Decoder.MAX_LENGTH;
        if (!cpu.codeAllows(cpu.rip, result == DecodeResult.OK ? length : 1)) {
            throw cpu.gp(0);
        }
        add(result, context, length);
        return length;
    }

    /// Reads the rest of the page; answers how many bytes that is.
    private int load(long at) {
        int available = PAGE - (int) (at & PAGE - 1);
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at, bytes, 0, available);
        VarHandle.acquireFence();
        return available;
    }

    /// Decodes as many instructions as make a block from the first `available` bytes. Answers their length in
    /// bytes: 0 if not even the first is complete, negative if CS ends before the block does.
    private int decodeRun(OpContext context, int key, int available) {
        ops.clear();
        int position = 0;
        int most = Interpreter.isAlone(key) ? 1 : MAX_INSTRUCTIONS;
        while (ops.size() < most && position < available) {
            DecodeResult result = decoder.decode(bytes, position, available, context.codeSize(), instruction);
            if (result == DecodeResult.NEEDS_MORE) {
                break;
            }
            int next = position + (result == DecodeResult.OK ? instruction.length() : 1);
            if (!cpu.codeAllows(cpu.rip + position, next - position)) {
                if (ops.isEmpty()) {
                    throw cpu.gp(0);
                }
                return -position;
            }
            if (add(result, context, next)) {
                return next;
            }
            position = next;
        }
        return position;
    }

    /// Appends the operation for what has been decoded; whether it ends the block.
    private boolean add(DecodeResult result, OpContext context, int next) {
        if (result != DecodeResult.OK) {
            ops.add(new FaultOp(next, result == DecodeResult.TOO_LONG));
            return true;
        }
        Op op = Operations.of(instruction, next, context);
        if (op == null) {
            ops.add(new FaultOp(next, false));
            return true;
        }
        ops.add(op);
        return instruction.row().branch() || instruction.row().endsBlock() || Operations.endsBlock(instruction);
    }

    private Block decodeCrossing(long la, long at, int key, int available) {
        long second = cpu.mmu.tlb.translateFetch(cpu.nextPage(la));
        if (second < 0) {
            return fromDevice(la, key);
        }
        long page = second >>> GuestMemory.PAGE_SHIFT;
        if (page == at >>> GuestMemory.PAGE_SHIFT) {
            // the page follows itself: too odd to be kept
            return fromDevice(la, key);
        }
        cache.claim(page);
        boolean kept = false;
        try {
            int length = decodeBoth(context(key), available, page);
            kept = true;
            return new Block(at, key, run(length), page, available);
        } finally {
            if (!kept) {
                cache.unclaim(page);
            }
        }
    }

    /// One instruction whose bytes are not (all) in memory, for one execution.
    private Block fromDevice(long la, int key) {
        OpContext context = context(key);
        ops.clear();
        DecodeResult result = decoder.decode(i -> cpu.mmu.fetchByte(la, i), context.codeSize(), instruction);
        int length = result == DecodeResult.OK ? instruction.length() : 1;
        add(result, context, length);
        return once(key, length);
    }

    /// An instruction that cannot be executed.
    private static final class FaultOp extends Op {
        private final boolean tooLong;

        FaultOp(int nextOffset, boolean tooLong) {
            super(nextOffset);
            this.tooLong = tooLong;
        }

        @Override
        public void execute(Cpu cpu) {
            throw tooLong ? cpu.gp(0) : cpu.ud();
        }
    }
}
