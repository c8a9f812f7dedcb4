package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.linux.HostMemory;

/// Copies of guest pages that generated code works on while its work is verified, and the interpreter's stores that
/// they are compared with.
///
/// ```
/// begin ─→ generated code: [#redirect] copies each page that it touches
///       ─→ interpreter:    [#storing] notes what it stores into the guest's own pages
///       ─→ [#difference]
/// ```
///
/// The guest's memory is never stored to by code under test, so that devices may write to it meanwhile. Owner
/// thread only.
public final class ShadowPages implements Tlb.StoreObserver, AutoCloseable {
    private static final int PAGE = 4096;
    private static final int PAGES = 128;
    private static final int MAX_STORES = 1 << 13;
    /// The most of an access that goes on at the start of a page.
    private static final int REST = 64;

    private final GuestMemory memory;
    private final MemorySegment ram;
    private final HostMemory host;
    /// What generated code sees: [#PAGES] pages, and as many as they were at first.
    private final MemorySegment copies;

    private final long[] offsets = new long[PAGES];
    private final long[] storeAt = new long[MAX_STORES];
    private final int[] storeSize = new int[MAX_STORES];
    private int count;
    private int stores;
    private boolean overflow;
    private boolean active;

    public ShadowPages(GuestMemory memory, String name) {
        this.memory = memory;
        ram = memory.backing();
        host = HostMemory.allocate(name, 2L * PAGES * PAGE);
        copies = host.segment();
    }

    /// Where two runs left memory different.
    ///
    /// @param gpa         guest-physical address of the first byte
    /// @param translated  what generated code left there
    /// @param interpreted what the interpreter did
    public record Difference(long gpa, int translated, int interpreted) {}

    /// Begins with no copies and no stores.
    public void begin() {
        count = 0;
        stores = 0;
        overflow = false;
        active = true;
    }

    /// Generated code has run.
    public void stop() {
        active = false;
    }

    /// Lets generated code run once more on the same copies: as the pages are now, less the interpreter's stores.
    public void again() {
        for (int i = 0; i < count; i++) {
            long page = offsets[i];
            MemorySegment.copy(ram, page, copies, copy(i), PAGE);
            for (int s = 0; s < stores; s++) {
                if ((storeAt[s] & -PAGE) == page) {
                    long inPage = storeAt[s] & PAGE - 1;
                    MemorySegment.copy(copies, original(i) + inPage, copies, copy(i) + inPage, storeSize[s]);
                }
            }
            MemorySegment.copy(copies, copy(i), copies, original(i), PAGE);
        }
        active = true;
    }

    /// Whether generated code runs on copies now.
    boolean isActive() {
        return active;
    }

    private static long copy(int i) {
        return (long) i * PAGE;
    }

    private static long original(int i) {
        return (long) (PAGES + i) * PAGE;
    }

    private int find(long page) {
        for (int i = 0; i < count; i++) {
            if (offsets[i] == page) {
                return i;
            }
        }
        return -1;
    }

    private int take(long page) {
        int found = find(page);
        if (found >= 0 || count == PAGES) {
            return found;
        }
        offsets[count] = page;
        MemorySegment.copy(ram, page, copies, copy(count), PAGE);
        MemorySegment.copy(copies, copy(count), copies, original(count), PAGE);
        return count++;
    }

    /// The host address of the copy of the page at a backing offset, or 0 if there is no room for one more.
    long redirect(long page) {
        int i = take(page);
        return i < 0 ? 0 : copies.address() + copy(i);
    }

    /// The copy of a page that [#redirect] has made.
    MemorySegment copyOf(long page) {
        return copies.asSlice(copy(find(page)), PAGE);
    }

    @Override
    public void storing(long gpa, int size) {
        long at = memory.writableOffsetOf(gpa);
        if (at < 0) {
            return;
        }
        int inPage = (int) at & PAGE - 1;
        int most = Math.min(inPage == 0 ? Math.max(size, REST) : size, PAGE - inPage);
        take(at - inPage);
        if (stores > 0 && storeAt[stores - 1] + storeSize[stores - 1] == at && inPage != 0) {
            storeSize[stores - 1] += most;
        } else if (stores < MAX_STORES) {
            storeAt[stores] = at;
            storeSize[stores++] = most;
        } else {
            overflow = true;
        }
    }

    /// The first difference between what generated code has left in the copies and the interpreter in memory. None
    /// is found where the interpreter has stored to more places than are noted here.
    public Optional<Difference> difference() {
        if (overflow) {
            return Optional.empty();
        }
        for (int i = 0; i < count; i++) {
            int page = i;
            Optional<Difference> found = stored(page).or(() -> unexpected(page));
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /// Stores of the interpreter whose bytes generated code has left otherwise.
    private Optional<Difference> stored(int i) {
        for (int s = 0; s < stores; s++) {
            if ((storeAt[s] & -PAGE) == offsets[i]) {
                long inPage = storeAt[s] & PAGE - 1;
                long from = copy(i) + inPage;
                long at = MemorySegment.mismatch(
                        copies, from, from + storeSize[s], ram, storeAt[s], storeAt[s] + storeSize[s]);
                if (at >= 0) {
                    return Optional.of(difference(i, (int) (inPage + at)));
                }
            }
        }
        return Optional.empty();
    }

    /// Bytes that generated code has changed and the interpreter has not stored to.
    private Optional<Difference> unexpected(int i) {
        int from = 0;
        while (from < PAGE) {
            long at = MemorySegment.mismatch(
                    copies, copy(i) + from, copy(i) + PAGE, copies, original(i) + from, original(i) + PAGE);
            if (at < 0) {
                return Optional.empty();
            }
            int changed = from + (int) at;
            int end = endOfStore(offsets[i] + changed);
            if (end < 0) {
                return Optional.of(difference(i, changed));
            }
            from = end;
        }
        return Optional.empty();
    }

    /// Where in its page a store ends that covers a byte, or -1 if there is none.
    private int endOfStore(long at) {
        for (int s = 0; s < stores; s++) {
            if (storeAt[s] <= at && at < storeAt[s] + storeSize[s]) {
                return (int) (storeAt[s] & PAGE - 1) + storeSize[s];
            }
        }
        return -1;
    }

    private Difference difference(int i, int inPage) {
        long at = offsets[i] + inPage;
        long gpa = memory.slots().stream()
                .filter(slot -> slot.offsetBytes() <= at && at < slot.offsetBytes() + slot.sizeBytes())
                .mapToLong(slot -> at - slot.offsetBytes() + slot.gpa())
                .findFirst()
                .orElse(at);
        return new Difference(
                gpa,
                copies.get(ValueLayout.JAVA_BYTE, copy(i) + inPage) & 0xFF,
                ram.get(ValueLayout.JAVA_BYTE, at) & 0xFF);
    }

    @Override
    public void close() {
        host.close();
    }
}
