package org.jvirt.core;

import java.util.BitSet;

/// The pages of a slot that were written.
///
/// @param pages bit n is the page at `slot.gpa() + n * 4096`
public record DirtyPages(MemorySlot slot, BitSet pages) {
    public DirtyPages {
        pages = (BitSet) pages.clone();
    }

    @Override
    public BitSet pages() {
        return (BitSet) pages.clone();
    }

    public int count() {
        return pages.cardinality();
    }
}
