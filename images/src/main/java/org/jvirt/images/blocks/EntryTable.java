package org.jvirt.images.blocks;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.file.ImageFile;

/// A table of 32- or 64-bit entries in a file, of which a bounded number of pages is in memory. Changes stay in
/// memory until [#takeChanges]. Not thread-safe.
public final class EntryTable {
    /// Changes are taken in pieces of this many bytes, or of a multiple.
    private static final int PIECE_BYTES = 512;

    private static final int USUAL_PAGE_BYTES = 16 << 10;
    private static final int CACHE_BYTES = 16 << 20;

    /// Where the pages of a table lie.
    public interface PageLocator {
        /// @return where the page begins; negative if there is none, which then reads as zeroes
        long pageOffset(long page) throws IOException;
    }

    private final ImageFile file;
    private final int entryBytes;
    private final ByteOrder order;
    private final int pageBytes;
    private final int pageEntries;
    private final PageLocator locator;
    private final int mostPages;
    private final Map<Long, Page> pages = new LinkedHashMap<>(64, 0.75f, true);
    private long recentNumber = -1;
    private @Nullable Page recent;
    private int dirtyPages;

    /// A table in one piece.
    public EntryTable(ImageFile file, long offsetBytes, int entryBytes, ByteOrder order) {
        this(file, entryBytes, order, USUAL_PAGE_BYTES, page -> offsetBytes + page * USUAL_PAGE_BYTES);
    }

    public EntryTable(ImageFile file, int entryBytes, ByteOrder order, int pageBytes, PageLocator locator) {
        this.file = file;
        this.entryBytes = entryBytes;
        this.order = order;
        this.pageBytes = pageBytes;
        this.locator = locator;
        pageEntries = pageBytes / entryBytes;
        mostPages = Math.max(8, CACHE_BYTES / pageBytes);
    }

    /// A 32-bit entry is unsigned.
    public long get(long index) throws IOException {
        ByteBuffer bytes = page(index / pageEntries).bytes;
        int at = (int) (index % pageEntries) * entryBytes;
        return entryBytes == 4 ? Integer.toUnsignedLong(bytes.getInt(at)) : bytes.getLong(at);
    }

    /// @throws IOException if the page has no place, which a broken image may ask for
    public void set(long index, long value) throws IOException {
        Page page = page(index / pageEntries);
        if (page.offset < 0) {
            throw new IOException("Cannot write to %s: it has no table for block %d".formatted(file.name(), index));
        }
        int at = (int) (index % pageEntries) * entryBytes;
        if (entryBytes == 4) {
            page.bytes.putInt(at, (int) value);
        } else {
            page.bytes.putLong(at, value);
        }
        if (!page.dirty) {
            page.dirty = true;
            dirtyPages++;
        }
        page.changed[at / PIECE_BYTES] = true;
    }

    /// Gives a page that had none a place; it is all zeroes, and all of it counts as changed.
    public void place(long number, long offsetBytes) throws IOException {
        Page page = page(number);
        page.offset = offsetBytes;
        if (!page.dirty) {
            page.dirty = true;
            dirtyPages++;
        }
        Arrays.fill(page.changed, true);
    }

    /// Whether changes fill half of what memory should hold at most.
    public boolean wantsSaving() {
        return dirtyPages > mostPages / 2;
    }

    public boolean changed() {
        return dirtyPages > 0;
    }

    /// Takes what has changed since last time, in pieces of `granularityBytes` counted from the start of a page.
    /// The pages stay in memory until [Changes#done].
    public Changes takeChanges(int granularityBytes) {
        List<Patch> patches = new ArrayList<>();
        List<Page> taken = new ArrayList<>();
        if (dirtyPages > 0) {
            for (Page page : pages.values()) {
                if (page.dirty) {
                    page.takeChanges(granularityBytes, patches);
                    page.dirty = false;
                    page.saving++;
                    taken.add(page);
                }
            }
        }
        dirtyPages = 0;
        return new Changes(patches, taken);
    }

    /// What is to be written.
    public static final class Changes {
        private final List<Patch> patches;
        private final List<Page> pages;

        private Changes(List<Patch> patches, List<Page> pages) {
            this.patches = patches;
            this.pages = pages;
        }

        public List<Patch> patches() {
            return patches;
        }

        /// The patches are in the file. Under the same lock as the table's own methods.
        public void done() {
            for (Page page : pages) {
                page.saving--;
            }
        }
    }

    private Page page(long number) throws IOException {
        if (number == recentNumber && recent != null) {
            return recent;
        }
        Page page = pages.get(number);
        if (page == null) {
            page = new Page(locator.pageOffset(number));
            if (page.offset >= 0) {
                file.readPadded(page.offset, MemorySegment.ofBuffer(page.bytes));
            }
            if (pages.size() >= mostPages) {
                evict();
            }
            pages.put(number, page);
        }
        recent = page;
        recentNumber = number;
        return page;
    }

    private void evict() {
        for (Iterator<Page> each = pages.values().iterator(); each.hasNext(); ) {
            Page page = each.next();
            if (!page.dirty && page.saving == 0) {
                each.remove();
                return;
            }
        }
    }

    private final class Page {
        final ByteBuffer bytes = ByteBuffer.allocate(pageBytes).order(order);
        final boolean[] changed = new boolean[(pageBytes + PIECE_BYTES - 1) / PIECE_BYTES];
        long offset;
        boolean dirty;
        /// How many times its changes are on their way to the file.
        int saving;

        Page(long offset) {
            this.offset = offset;
        }

        void takeChanges(int granularityBytes, List<Patch> into) {
            int unit = Math.max(1, granularityBytes / PIECE_BYTES);
            for (int piece = 0; piece < changed.length; ) {
                if (!changed[piece]) {
                    piece++;
                    continue;
                }
                int first = piece / unit * unit;
                int end = first;
                while (end < changed.length && anyChanged(end, unit)) {
                    end += unit;
                }
                int from = first * PIECE_BYTES;
                int length = Math.min(end * PIECE_BYTES, pageBytes) - from;
                byte[] copy = new byte[length];
                bytes.get(from, copy);
                into.add(new Patch(offset + from, copy));
                for (int i = first; i < Math.min(end, changed.length); i++) {
                    changed[i] = false;
                }
                piece = end;
            }
        }

        private boolean anyChanged(int first, int unit) {
            for (int i = first; i < Math.min(first + unit, changed.length); i++) {
                if (changed[i]) {
                    return true;
                }
            }
            return false;
        }
    }
}
