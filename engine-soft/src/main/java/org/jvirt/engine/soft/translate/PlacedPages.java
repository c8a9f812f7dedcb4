package org.jvirt.engine.soft.translate;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.memory.NativeTables;
import org.jvirt.engine.soft.translate.store.CodeStore;
import org.jvirt.engine.soft.translate.store.Relocation;
import org.jvirt.engine.soft.translate.store.StoreReader;

/// All translations of a processor, by the page of guest code and the linear address that they are for.
///
/// A library is at another address in each process. Its pages have translations for a few addresses at a time;
/// when one more is wanted, those for the address that was in use longest ago move there, all of the page at once,
/// in place: what depends on the address in their code is changed, and links between them stay.
///
/// ```
/// page 0x1234 ─┬─ at 0x7f31_0000_5000   a shell: in use all the time
///              ├─ at 0x7fa2_4400_5000   the process that runs
///              └─ at 0x7f08_1000_5000   one that has ended: moves to where the next one has the page
/// ```
///
/// Owner thread only.
final class PlacedPages {
    /// Addresses at which one page has translations at a time: so many if one of them has not been in use lately,
    /// and at most.
    private static final int USUAL = 4;

    private static final int MOST = 8;
    /// What was used before so many pages were wanted elsewhere was not used lately: a process that starts wants
    /// about a hundred.
    private static final int LATELY = 256;

    private static final int BUCKETS = 1 << 13;
    private static final long PAGE = -4096L;

    private final CodeCache cache;
    private final NativeTables tables;
    private final TranslatorCounters counters;
    private final @Nullable StoreReader kept;
    private final Consumer<TranslatedBlock> giveUp;
    private final @Nullable PlacedPage[] buckets = new @Nullable PlacedPage[BUCKETS];
    /// How many pages have been wanted where they were not.
    private long clock;

    /// @param giveUp invalidates a translation that cannot move
    PlacedPages(
            CodeCache cache,
            NativeTables tables,
            TranslatorCounters counters,
            @Nullable StoreReader kept,
            Consumer<TranslatedBlock> giveUp) {
        this.cache = cache;
        this.tables = tables;
        this.counters = counters;
        this.kept = kept;
        this.giveUp = giveUp;
    }

    private static int bucket(long page, int context) {
        return (int) ((page * 31 + context) * 0x9E37_79B9_7F4A_7C15L >>> 51);
    }

    /// Takes a new translation, of code that has just been found at its address.
    void add(TranslatedBlock block) {
        long address = block.rip & PAGE;
        var _ = bring(block.page, block.context, block.rip);
        PlacedPage place = at(block.page, block.context, address);
        if (place == null) {
            place = new PlacedPage(block.page, block.context, address);
            int b = bucket(block.page, block.context);
            place.next = buckets[b];
            buckets[b] = place;
        }
        place.used = clock;
        place.add(block);
    }

    /// The processor has found a translation.
    void use(TranslatedBlock block) {
        PlacedPage place = block.home;
        if (place != null) {
            place.used = clock;
        }
    }

    private @Nullable PlacedPage at(long page, int context, long address) {
        PlacedPage place = buckets[bucket(page, context)];
        while (place != null && (place.page != page || place.context != context || place.address != address)) {
            place = place.next;
        }
        return place;
    }

    /// A translation is given up.
    void remove(TranslatedBlock block) {
        PlacedPage place = block.home;
        if (place != null) {
            place.remove(block);
            if (place.count() == 0) {
                drop(place);
            }
        }
    }

    private void drop(PlacedPage place) {
        int b = bucket(place.page, place.context);
        PlacedPage each = buckets[b];
        if (each == place) {
            buckets[b] = place.next;
            return;
        }
        while (each != null) {
            if (each.next == place) {
                each.next = place.next;
                return;
            }
            each = each.next;
        }
    }

    /// Moves translations of a page to linear address `rip`, where it has just been found to be, if it has none
    /// there and enough elsewhere. Whether that has been done.
    boolean bring(long page, int context, long rip) {
        long address = rip & PAGE;
        PlacedPage oldest = null;
        int count = 0;
        for (PlacedPage each = buckets[bucket(page, context)]; each != null; each = each.next) {
            if (each.page == page && each.context == context) {
                if (each.address == address) {
                    return false;
                }
                count++;
                if (oldest == null || each.used < oldest.used) {
                    oldest = each;
                }
            }
        }
        clock++;
        if (oldest == null || count < USUAL || count < MOST && clock - oldest.used < LATELY) {
            return false;
        }
        oldest.used = clock;
        move(oldest, address);
        link(oldest, tables.generation(rip));
        return true;
    }

    private void move(PlacedPage place, long address) {
        long step = address - place.address;
        place.address = address;
        counters.movedPages++;
        // whatever is given up, the last takes its place
        for (int i = place.count() - 1; i >= 0; i--) {
            TranslatedBlock block = place.block(i);
            if (block.isTarget || block.crosses) {
                tables.unlink(block.rip, block.context, cache.address(block.start));
            }
            if (!move(block, step)) {
                giveUp.accept(block);
            }
        }
    }

    private boolean move(TranslatedBlock block, long step) {
        int[] addresses = block.addresses;
        if (addresses == null) {
            CodeStore.Kept found = block.isStored() ? block.kept(kept) : null;
            if (found == null) {
                return false;
            }
            addresses = Relocation.ofAddress(found.block().relocation());
            block.addresses = addresses;
        }
        if (!cache.move(block, addresses, step)) {
            return false;
        }
        block.rip += step;
        counters.moved++;
        return true;
    }

    /// Tells branches through tables of all blocks of a page, which has been found to be at its address: where one
    /// has been wanted, others will be.
    private void link(PlacedPage place, long generation) {
        for (int i = 0; i < place.count(); i++) {
            TranslatedBlock block = place.block(i);
            if (block.isTarget) {
                tables.linkTarget(block.rip, block.context, cache.address(block.start), generation, block.page);
            }
        }
    }
}
