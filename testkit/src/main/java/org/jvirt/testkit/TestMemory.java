package org.jvirt.testkit;

import java.lang.foreign.Arena;
import java.util.List;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;

/// Guest RAM from the Java heap's neighbourhood, for tests on any host.
public final class TestMemory {
    private TestMemory() {}

    /// One slot at 0.
    public static GuestMemory ofBytes(long sizeBytes) {
        return of(sizeBytes, List.of(new MemorySlot(0, 0, sizeBytes, 0, false)));
    }

    public static GuestMemory of(long backingBytes, List<MemorySlot> slots) {
        Arena arena = Arena.ofShared();
        return new GuestMemory(arena.allocate(backingBytes, GuestMemory.PAGE_BYTES), slots, arena::close);
    }
}
