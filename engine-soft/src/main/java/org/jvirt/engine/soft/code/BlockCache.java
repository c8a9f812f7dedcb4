package org.jvirt.engine.soft.code;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Processors;
import org.jvirt.engine.soft.translate.Translator;

/// The decoded blocks of one processor, by the place of their first byte in guest memory and their key.
///
/// A page is claimed from [Processors] before the first of its bytes is read for decoding and released when its
/// last block has gone.
final class BlockCache implements Cpu.CodeObserver {
    private static final int BUCKETS = 1 << 18;
    /// With this many blocks, all are given up before the next is decoded.
    private static final int MAX_BLOCKS = 1 << 19;

    private final Cpu cpu;
    private final Processors processors;
    private final @Nullable Block[] buckets = new @Nullable Block[BUCKETS];
    private final @Nullable CodePage[] pages;
    /// Pages with blocks are claimed; the others only remember their patience.
    private int count;

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
    }

    /// A translation of the block depends on more bytes of its page: [Block#alsoFirst] to [Block#alsoLast].
    void dependsOnMore(Block block) {
        page(block.at >>> GuestMemory.PAGE_SHIFT).coverAlso(block);
    }

    private static int bucket(long at, int key) {
        long h = (at ^ (long) key << 40) * 0x9E37_79B9_7F4A_7C15L;
        return (int) (h >>> 46) & BUCKETS - 1;
    }

    @Nullable
    Block find(long at, int key) {
        Block block = buckets[bucket(at, key)];
        while (block != null && (block.at != at || block.key != key)) {
            block = block.nextInBucket;
        }
        return block;
    }

    /// Gives up everything if there is no room for one more block. Not between claims: pages would lose theirs.
    void makeRoom() {
        if (count >= MAX_BLOCKS) {
            clear();
        }
    }

    /// Makes sure that stores to the page will be noticed, before its bytes are read.
    void claim(long page) {
        CodePage known = pages[(int) page];
        if (known == null) {
            known = new CodePage(page);
            pages[(int) page] = known;
        }
        if (known.blocks.isEmpty()) {
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
        page(block.at >>> GuestMemory.PAGE_SHIFT).add(block);
        if (block.secondPage >= 0) {
            page(block.secondPage).add(block);
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
        block.valid = false;
        if (translator != null && block.translations != null) {
            translator.discard(block.translations);
            block.translations = null;
        }
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
        leave(page(block.at >>> GuestMemory.PAGE_SHIFT), block);
        if (block.secondPage >= 0) {
            leave(page(block.secondPage), block);
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
