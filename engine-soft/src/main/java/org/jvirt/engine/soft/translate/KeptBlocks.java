package org.jvirt.engine.soft.translate;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.translate.store.CodeStore.Kept;
import org.jvirt.engine.soft.translate.store.StoreReader;
import org.jvirt.engine.soft.translate.store.StoredBlock;

/// Brings translations from the store into the code cache: the one that is wanted, and those of the same page that
/// stand beside it in the file.
///
/// ```
/// wanted ──→ found in the file ──→ installed ──→ its neighbours ──→ installed ──→ direct branches linked
/// ```
///
/// Who executes one block of a page executes others soon. So that they need not be looked for one by one, and
/// branches to them find them linked, all that have been read come along if the page holds their guest code.
/// Owner thread only.
final class KeptBlocks {
    private static final int PAGE = 4096;

    private final Cpu cpu;
    private final StoreReader reader;
    private final CodeCache cache;
    private final PlacedPages pages;
    private final RecentTargets targets;
    private final TranslatorCounters counters;
    private final Runnable makeRoom;
    /// Of one page; empty but while links are made.
    private final @Nullable TranslatedBlock[] byOffset = new @Nullable TranslatedBlock[PAGE];

    private int dependsFrom;
    private int dependsTo;

    /// @param makeRoom makes room in the cache for one block
    KeptBlocks(
            Cpu cpu,
            StoreReader reader,
            CodeCache cache,
            PlacedPages pages,
            RecentTargets targets,
            TranslatorCounters counters,
            Runnable makeRoom) {
        this.cpu = cpu;
        this.reader = reader;
        this.cache = cache;
        this.pages = pages;
        this.targets = targets;
        this.counters = counters;
        this.makeRoom = makeRoom;
    }

    /// A translation of the same bytes that can be copied, if nothing in them moves with their address.
    private static @Nullable TranslatedBlock model(@Nullable TranslatedBlock siblings, int context, boolean apart) {
        for (TranslatedBlock each = siblings; each != null; each = each.nextOfSameCode) {
            if (each.context == context && each.apart == apart && each.valid && each.isStored()) {
                return each;
            }
        }
        return null;
    }

    /// A translation of what is at [Cpu#rip] and at backing offset `at`; null if there is none.
    ///
    /// @param taker has the blocks of the page, which is claimed; null if nothing else is to come along
    @Nullable
    TranslatedBlock recall(
            long at,
            long secondPage,
            int context,
            boolean apart,
            @Nullable TranslatedBlock siblings,
            @Nullable Neighbours taker) {
        TranslatedBlock model = model(siblings, context, apart);
        Kept kept = model == null
                ? reader.find(TranslatedBlock.kind(context, apart), cpu.rip, at, secondPage)
                : model.kept(reader);
        if (kept == null) {
            counters.notRecalled++;
            return null;
        }
        TranslatedBlock block = install(kept, cpu.rip, at >>> 12, context, secondPage >= 0, siblings);
        if (block == null) {
            return null;
        }
        block.apart = apart;
        if (model != null) {
            block.sites = model.sites;
        }
        int from = dependsFrom;
        int to = dependsTo;
        if (taker != null && !apart && secondPage < 0) {
            reader.around(kept.position(), context, cpu.rip, at, new Around(block, at, taker));
            link(block.home);
        }
        dependsFrom = from;
        dependsTo = to;
        return block;
    }

    /// Takes those around a block that its page lacks.
    private final class Around implements StoreReader.Neighbours {
        private final TranslatedBlock wanted;
        private final long at;
        private final Neighbours taker;

        Around(TranslatedBlock wanted, long at, Neighbours taker) {
            this.wanted = wanted;
            this.at = at;
            this.taker = taker;
        }

        private long place(int start) {
            return at & -PAGE | start;
        }

        private long rip(int start) {
            return wanted.rip & -PAGE | start;
        }

        @Override
        public boolean want(int start) {
            long rip = rip(start);
            if (rip == wanted.rip || !taker.takes(place(start))) {
                return false;
            }
            TranslatedBlock known = taker.translations(place(start));
            return known == null || known.sibling(rip, wanted.context, false) == null;
        }

        @Override
        public void take(Kept kept) {
            int start = kept.block().start();
            TranslatedBlock siblings = taker.translations(place(start));
            TranslatedBlock made = install(kept, rip(start), wanted.page, wanted.context, false, siblings);
            if (made != null) {
                counters.neighbours++;
                targets.put(made);
                taker.take(place(start), made, dependsFrom, dependsTo);
            }
        }
    }

    private @Nullable TranslatedBlock install(
            Kept kept, long rip, long page, int context, boolean crosses, @Nullable TranslatedBlock siblings) {
        StoredBlock found = kept.block();
        makeRoom.run();
        if (!cache.put(found, rip - found.rip())) {
            return null;
        }
        var block = TranslatedBlock.of(found.layout(), rip, page, context, cache.end(), crosses);
        block.keep(found, kept.position());
        cache.add(block, found);
        counters.recalled++;
        pages.add(block);
        block.precede(siblings);
        counters.cacheBytes = cache.used();
        dependsFrom = found.first();
        dependsTo = Math.min(found.first() + found.guest().length, PAGE) - 1;
        return block;
    }

    /// Links what is not linked yet among the translations of a page at one address.
    private void link(@Nullable PlacedPage place) {
        if (place == null) {
            return;
        }
        for (int i = 0; i < place.count(); i++) {
            TranslatedBlock block = place.block(i);
            if (!block.crosses && !block.apart) {
                byOffset[(int) block.rip & PAGE - 1] = block;
            }
        }
        for (int i = 0; i < place.count(); i++) {
            link(place.block(i));
        }
        for (int i = 0; i < place.count(); i++) {
            byOffset[(int) place.block(i).rip & PAGE - 1] = null;
        }
    }

    private void link(TranslatedBlock block) {
        for (int i = 0; i < block.exitCount(); i++) {
            long target = block.exitTarget(i);
            TranslatedBlock to = byOffset[(int) target & PAGE - 1];
            if (to != null && to.rip == target && !block.exitIsApart(i) && !block.isLinked(i)) {
                cache.link(block.exit(i), to);
            }
        }
    }

    /// The first and the last offset in the page that the last translation depends on beside its own code.
    int dependsFrom() {
        return dependsFrom;
    }

    int dependsTo() {
        return dependsTo;
    }
}
