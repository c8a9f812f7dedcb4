package org.jvirt.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory for a guest: a memfd mapped once, read-write, shared. Pages come into being when first touched.
///
/// Thread-safe; [#close] unmaps, and any access afterwards throws instead of touching freed memory.
public final class HostMemory implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_HUGETLB = 4;
    private static final int MFD_HUGE_SHIFT = 26;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int O_TMPFILE = 0x410000;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_DONTDUMP = 16;

    private final MemorySegment segment;
    private final Arena arena;

    /// What the memory is made of.
    public enum Pages {
        /// The kernel decides: small ones, and huge ones where it likes.
        ORDINARY(0),
        /// Reserved huge pages (hugetlbfs) of 2 MiB.
        HUGE_2_MIB(21),
        /// Reserved huge pages of 1 GiB.
        HUGE_1_GIB(30);

        private final int shift;

        Pages(int shift) {
            this.shift = shift;
        }

        private int flags() {
            return this == ORDINARY ? 0 : MFD_HUGETLB | shift << MFD_HUGE_SHIFT;
        }

        private long round(long sizeBytes) {
            long page = 1L << shift;
            return this == ORDINARY ? sizeBytes : sizeBytes + page - 1 & -page;
        }

        private String remedy() {
            return this == ORDINARY
                    ? ""
                    : "; reserve huge pages: echo N > /sys/kernel/mm/hugepages/hugepages-%dkB/nr_hugepages"
                            .formatted(1L << shift - 10);
        }
    }

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
        return allocate(name, sizeBytes, Pages.ORDINARY);
    }

    /// Allocates zeroed memory made of pages of a certain kind.
    ///
    /// @throws SystemCallException if the host does not give it
    public static HostMemory allocate(String name, long sizeBytes, Pages pages) {
        String what = "allocate %d MiB of guest memory".formatted(sizeBytes >> 20);
        try (Arena temporary = Arena.ofConfined()) {
            int fd = LibC.memfdCreate(temporary.allocateFrom(name), MFD_CLOEXEC | pages.flags());
            if (fd < 0) {
                throw new SystemCallException(what, -fd, pages.remedy());
            }
            try {
                long rounded = pages.round(sizeBytes);
                int truncated = LibC.ftruncate(fd, rounded);
                if (truncated < 0) {
                    throw new SystemCallException(what, -truncated, pages.remedy());
                }
                return map(what, fd, rounded, pages);
            } finally {
                // The mapping keeps the memory alive.
                LibC.close(fd);
            }
        }
    }

    /// Allocates zeroed memory that is no file and nobody else's, which is what the kernel can merge (see
    /// [MemoryPlacement#merge]).
    ///
    /// @param sizeBytes a multiple of the page size
    /// @throws SystemCallException if the host does not give it
    public static HostMemory allocatePrivate(long sizeBytes) {
        String what = "allocate %d MiB of private guest memory".formatted(sizeBytes >> 20);
        return map(what, -1, sizeBytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, "");
    }

    /// Takes memory out of a directory's file system, such as one of huge pages (hugetlbfs). The file has no name.
    ///
    /// @param directory of a file system in memory
    /// @param sizeBytes rounded up to the file system's blocks
    /// @throws SystemCallException if the host does not give it
    public static HostMemory allocateIn(Path directory, long sizeBytes) {
        String what = "allocate %d MiB of guest memory in %s".formatted(sizeBytes >> 20, directory);
        try (Arena temporary = Arena.ofConfined()) {
            int fd = LibC.open(temporary.allocateFrom(directory.toString()), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
            if (fd < 0) {
                throw new SystemCallException(
                        what, -fd, "; name a directory on tmpfs or hugetlbfs that can be written");
            }
            try {
                long block = Math.max(blockBytes(directory), 4096);
                long rounded = (sizeBytes + block - 1) / block * block;
                int truncated = LibC.ftruncate(fd, rounded);
                if (truncated < 0) {
                    throw new SystemCallException(what, -truncated);
                }
                return map(what, fd, rounded, MAP_SHARED, "; reserve huge pages, or make the file system larger");
            } finally {
                LibC.close(fd);
            }
        }
    }

    private static long blockBytes(Path directory) {
        try {
            return Files.getFileStore(directory).getBlockSize();
        } catch (IOException | UnsupportedOperationException e) {
            return 0;
        }
    }

    private static HostMemory map(String what, int fd, long sizeBytes, Pages pages) {
        // Without a reservation a missing huge page would be SIGBUS in the middle of a guest's life.
        int flags = pages == Pages.ORDINARY ? MAP_SHARED | MAP_NORESERVE : MAP_SHARED;
        return map(what, fd, sizeBytes, flags, pages.remedy());
    }

    private static HostMemory map(String what, int fd, long sizeBytes, int flags, String remedy) {
        long address = LibC.mmap(0, sizeBytes, PROT_READ_WRITE, flags, fd, 0);
        if (address < 0 && address > -4096) {
            throw new SystemCallException(what, (int) -address, remedy);
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

    /// Keeps all of it in the host's RAM: it is neither swapped out nor missing when first touched.
    ///
    /// @throws SystemCallException if the host has too little memory, or the limit on locked memory is too low
    public void lock() {
        int result = LibC.mlock(segment.address(), segment.byteSize());
        if (result < 0) {
            throw new SystemCallException(
                    "lock %d MiB of guest memory".formatted(segment.byteSize() >> 20),
                    -result,
                    "; raise the limit on locked memory (ulimit -l, LimitMEMLOCK=)");
        }
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
