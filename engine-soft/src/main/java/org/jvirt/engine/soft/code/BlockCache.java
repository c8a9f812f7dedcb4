package org.jvirt.engine.soft.code;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Processors;
import org.jvirt.engine.soft.translate.Translator;

/// The blocks of one processor, by the place of their first byte in guest memory and their key.
///
/// A page is claimed from [Processors] before the first of its bytes is read for decoding and released when its
/// last block has gone.
///
/// Decoded blocks are the large ones, so there is a maximum: who comes takes the place of who has been there
/// longest. That one goes altogether unless it has a translation; how hot it was is remembered, roughly. Translated
/// blocks stay until the translator has given up what they had.
final class BlockCache implements Cpu.CodeObserver {
    private static final int BUCKETS = 1 << 17;
    /// With this many blocks that are all of use, all are given up before the next is made.
    private static final int MAX_BLOCKS = 1 << 18;
    /// Fewer are not looked through for what is of no use any more.
    private static final int LEAST_BLOCKS = 1 << 14;
    /// Decoded blocks beside a translator, and without one.
    private static final int DECODED = 1 << 14;

    private static final int DECODED_ALONE = 1 << 17;
    private static final int HEATS = 1 << 16;

    private final Cpu cpu;
    private final Processors processors;
    private final @Nullable Block[] buckets = new @Nullable Block[BUCKETS];
    private final @Nullable CodePage[] pages;
    /// Pages with blocks are claimed; the others only remember their patience.
    private int count;
    /// With so many blocks, those of no use are looked for.
    private int sweepAt = LEAST_BLOCKS;

    private long evictions;

    /// The decoded blocks, the next to go first.
    private @Nullable Block[] decoded = new @Nullable Block[DECODED_ALONE];

    private int oldest;
    /// Of blocks that have gone, by bucket.
    private final byte[] heats = new byte[HEATS];

    private @Nullable Translator translator;

    BlockCache(Cpu cpu) {
        this.cpu = cpu;
        processors = cpu.processors();
        long bytes = processors.memory().backing().byteSize();
        pages = new @Nullable CodePage[Math.toIntExact(bytes >>> GuestMemory.PAGE_SHIFT)];
    }

    /// Says who has translations of the blocks.
    void translator(Translator owner) {
        translator = owner;
        decoded = new @Nullable Block[DECODED];
    }

    /// A translation of the block depends on more bytes of its page: [Block#alsoFirst] to [Block#alsoLast].
    void dependsOnMore(Block block) {
        page(block.page()).coverAlso(block);
    }

    /// A block has been decoded: it takes the place of another, if it is in the cache at all.
    void decoded(Block block) {
        if (!block.valid) {
            return;
        }
        page(block.page()).cover(block);
        Block old = decoded[oldest];
        decoded[oldest] = block;
        oldest = oldest + 1 == decoded.length ? 0 : oldest + 1;
        if (old == null || !old.valid || old.decoded == null || old == block) {
            return;
        }
        if (old.isTranslated()) {
            old.decoded = null;
        } else {
            heats[hash(old.at, old.key) & HEATS - 1] = (byte) Math.min(old.heat(), Byte.MAX_VALUE);
            remove(old);
        }
    }

    private static int hash(long at, int key) {
        long h = (at ^ (long) key << 40) * 0x9E37_79B9_7F4A_7C15L;
        return (int) (h >>> 46);
    }

    private static int bucket(long at, int key) {
        return hash(at, key) & BUCKETS - 1;
    }

    @Nullable
    Block find(long at, int key) {
        Block block = buckets[bucket(at, key)];
        while (block != null && (block.at != at || block.key != key)) {
            block = block.nextInBucket;
        }
        return block;
    }

    /// Makes room for one more block: of those whose translations have gone, then by giving up everything. Not
    /// between claims: pages would lose theirs.
    void makeRoom() {
        boolean evicted = translator != null && translator.evictions() != evictions;
        if (count < sweepAt && !evicted) {
            return;
        }
        if (translator != null) {
            evictions = translator.evictions();
        }
        sweep();
        if (count >= MAX_BLOCKS) {
            clear();
        }
        sweepAt = Math.clamp(2L * count, LEAST_BLOCKS, MAX_BLOCKS);
    }

    private void sweep() {
        for (CodePage page : pages) {
            if (page != null && page.sweep()) {
                for (Block block : List.copyOf(page.blocks)) {
                    if (CodePage.isUseless(block)) {
                        remove(block);
                    }
                }
            }
        }
    }

    /// Makes sure that stores to the page will be noticed, before its bytes are read.
    void claim(long page) {
        CodePage known = pages[(int) page];
        if (known == null) {
            known = new CodePage(page, translator == null ? null : translator.codeLines());
            pages[(int) page] = known;
        }
        if (known.blocks.isEmpty()) {
            known.begin();
            processors.claimCodePage(cpu, page);
        }
    }

    /// Gives up a claim that led to no block.
    void unclaim(long page) {
        CodePage known = pages[(int) page];
        if (known != null && known.blocks.isEmpty()) {
            processors.releaseCodePage(page);
        }
    }

    /// Takes a block in whose pages have been claimed.
    void add(Block block) {
        int b = bucket(block.at, block.key);
        block.nextInBucket = buckets[b];
        buckets[b] = block;
        count++;
        if (block.heat() == 0) {
            block.heat(heats[hash(block.at, block.key) & HEATS - 1]);
        }
        page(block.page()).add(block);
        if (block.secondPage() >= 0) {
            page(block.secondPage()).add(block);
        }
    }

    private CodePage page(long number) {
        CodePage page = pages[(int) number];
        if (page == null) {
            throw new IllegalStateException("Page 0x%x holds a block but was not claimed".formatted(number));
        }
        return page;
    }

    /// Drops everything.
    void clear() {
        for (CodePage page : pages) {
            if (page != null) {
                drop(page);
            }
        }
    }

    @Override
    public void written(long at, long size) {
        long first = at >>> GuestMemory.PAGE_SHIFT;
        long last = Math.min(
                (at + size < 0 ? Long.MAX_VALUE : at + size - 1) >>> GuestMemory.PAGE_SHIFT, pages.length - 1L);
        for (long number = first; number <= last; number++) {
            CodePage page = pages[(int) number];
            if (page != null && !page.blocks.isEmpty()) {
                int from = number == first ? (int) at & 0xFFF : 0;
                int to = number == last && at + size > 0
                        ? (int) (Math.min(at + size - 1, last << 12 | 0xFFF) & 0xFFF)
                        : 0xFFF;
                written(page, from, to);
            }
        }
    }

    private void written(CodePage page, int from, int to) {
        if (!page.covers(from, to)) {
            if (page.missed()) {
                drop(page);
            }
            return;
        }
        List<Block> hit = new ArrayList<>();
        for (Block block : page.blocks) {
            if (page.overlaps(block, from, to)) {
                hit.add(block);
            }
        }
        if (hit.isEmpty()) {
            if (page.missed()) {
                drop(page);
            }
            return;
        }
        for (Block block : hit) {
            remove(block);
        }
        cpu.endBlock();
    }

    private void drop(CodePage page) {
        for (Block block : List.copyOf(page.blocks)) {
            remove(block);
        }
        cpu.endBlock();
    }

    /// Removes one block from everywhere; pages that have no more are released.
    void remove(Block block) {
        if (translator != null && block.translations != null) {
            translator.discard(block.translations);
        }
        block.end();
        int b = bucket(block.at, block.key);
        Block before = null;
        Block current = buckets[b];
        while (current != null && current != block) {
            before = current;
            current = current.nextInBucket;
        }
        if (current == null) {
            return;
        }
        if (before == null) {
            buckets[b] = block.nextInBucket;
        } else {
            before.nextInBucket = block.nextInBucket;
        }
        count--;
        leave(page(block.page()), block);
        if (block.secondPage() >= 0) {
            leave(page(block.secondPage()), block);
        }
    }

    private void leave(CodePage page, Block block) {
        page.blocks.remove(block);
        page.recover();
        if (page.blocks.isEmpty()) {
            processors.releaseCodePage(page.number);
        }
    }
}
