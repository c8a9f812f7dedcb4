package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory for a guest: a memfd mapped once, read-write, shared. Pages come into being when first touched.
///
/// Thread-safe; [#close] unmaps, and any access afterwards throws instead of touching freed memory.
public final class HostMemory implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_DONTDUMP = 16;

    private final MemorySegment segment;
    private final Arena arena;

    private HostMemory(MemorySegment segment, Arena arena) {
        this.segment = segment;
        this.arena = arena;
    }

    /// Allocates zeroed memory.
    ///
    /// @param name      shown in `/proc/PID/maps`
    /// @param sizeBytes a multiple of the page size
    /// @throws SystemCallException if the host does not give it
    public static HostMemory allocate(String name, long sizeBytes) {
        String what = "allocate %d MiB of guest memory".formatted(sizeBytes >> 20);
        try (Arena temporary = Arena.ofConfined()) {
            int fd = LibC.memfdCreate(temporary.allocateFrom(name), MFD_CLOEXEC);
            if (fd < 0) {
                throw new SystemCallException(what, -fd);
            }
            try {
                int truncated = LibC.ftruncate(fd, sizeBytes);
                if (truncated < 0) {
                    throw new SystemCallException(what, -truncated);
                }
                return map(what, fd, sizeBytes);
            } finally {
                // The mapping keeps the memory alive.
                LibC.close(fd);
            }
        }
    }

    private static HostMemory map(String what, int fd, long sizeBytes) {
        long address = LibC.mmap(0, sizeBytes, PROT_READ_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (address < 0 && address > -4096) {
            throw new SystemCallException(what, (int) -address);
        }
        // Both are wishes; a kernel that cannot grant them still gives working memory.
        LibC.madvise(address, sizeBytes, MADV_HUGEPAGE);
        LibC.madvise(address, sizeBytes, MADV_DONTDUMP);
        Arena arena = Arena.ofShared();
        // JUSTIFICATION: mmap answers a bare address. SAFETY: the size is the mapping's own, and the arena's closing
        // action unmaps it after all access has ended.
        MemorySegment segment = MemorySegment.ofAddress(address)
                .reinterpret(sizeBytes, arena, mapped -> LibC.munmap(mapped.address(), mapped.byteSize()));
        return new HostMemory(segment, arena);
    }

    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
