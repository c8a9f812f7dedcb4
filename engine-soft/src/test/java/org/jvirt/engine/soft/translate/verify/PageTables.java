package org.jvirt.engine.soft.translate.verify;

import org.jvirt.core.GuestMemory;

/// Builds four-level page tables in a stretch of physical memory.
final class PageTables {
    static final long PRESENT = 1;
    static final long WRITABLE = 2;
    static final long USER = 4;
    static final long ACCESSED = 1 << 5;
    static final long DIRTY = 1 << 6;
    static final long NO_EXECUTE = 1L << 63;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private final GuestMemory memory;
    private final long root;
    private final long end;
    private long free;

    /// @param root where the top table goes; the others follow it, up to `bytes` in all
    PageTables(GuestMemory memory, long root, int bytes) {
        this.memory = memory;
        this.root = root;
        end = root + bytes;
        free = root + Layout.PAGE;
        memory.fill(root, bytes, (byte) 0);
    }

    void map(long gva, long gpa, long rights) {
        long table = root;
        for (int shift = 39; shift > 12; shift -= 9) {
            long entry = table + (gva >>> shift & 511) * 8;
            long next = memory.readLong(entry) & ADDRESS;
            if (next == 0) {
                next = free;
                free += Layout.PAGE;
                if (free > end) {
                    throw new IllegalStateException("no room for page tables");
                }
                memory.writeLong(entry, next | PRESENT | WRITABLE | USER);
            }
            table = next;
        }
        memory.writeLong(table + (gva >>> 12 & 511) * 8, gpa | PRESENT | rights);
    }
}
