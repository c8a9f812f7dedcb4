package org.jvirt.images.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Native, page-aligned buffers through which memory of the Java heap, and what is not aligned for direct I/O, is
/// read and written. Kept for the next one who needs one. Thread-safe.
final class BounceBuffers {
    static final int BYTES = 256 << 10;
    static final int ALIGNMENT = 4096;

    private static final int KEPT = 16;
    private static final ConcurrentLinkedQueue<MemorySegment> FREE = new ConcurrentLinkedQueue<>();

    private BounceBuffers() {}

    static MemorySegment take() {
        MemorySegment free = FREE.poll();
        return free != null ? free : Arena.ofAuto().allocate(BYTES, ALIGNMENT);
    }

    static void giveBack(MemorySegment buffer) {
        if (FREE.size() < KEPT) {
            FREE.add(buffer);
        }
    }
}
