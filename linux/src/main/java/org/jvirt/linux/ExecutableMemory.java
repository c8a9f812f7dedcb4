package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory for generated machine code: one memfd mapped twice, to be written here and executed there. No mapping is
/// writable and executable at once.
///
/// Not thread-safe; [#close] unmaps both, after the last thread has left the code.
public final class ExecutableMemory implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_SHARED = 1;
    private static final int MAP_NORESERVE = 0x4000;
    /// Of a shared mapping it removes the pages from the process's view alone.
    private static final int MADV_DONTNEED = 4;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment writable;
    private final long executable;

    private ExecutableMemory(int fd, long sizeBytes) {
        long write = map(fd, sizeBytes, PROT_READ | PROT_WRITE);
        long execute = map(fd, sizeBytes, PROT_READ | PROT_EXEC);
        // JUSTIFICATION: mmap answers a bare address. SAFETY: the size is the mapping's own; closing the arena ends
        // all access before both views are unmapped.
        writable = MemorySegment.ofAddress(write).reinterpret(sizeBytes, arena, mapped -> {
            LibC.munmap(mapped.address(), mapped.byteSize());
            LibC.munmap(execute, sizeBytes);
        });
        executable = execute;
    }

    /// Allocates memory for code.
    ///
    /// @throws SystemCallException if the host gives none, or forbids executable memory
    public static ExecutableMemory allocate(String name, long sizeBytes) {
        try (Arena temporary = Arena.ofConfined()) {
            int fd = LibC.memfdCreate(temporary.allocateFrom(name), MFD_CLOEXEC);
            if (fd < 0) {
                throw new SystemCallException("allocate %d MiB for code".formatted(sizeBytes >> 20), -fd);
            }
            try {
                int truncated = LibC.ftruncate(fd, sizeBytes);
                if (truncated < 0) {
                    throw new SystemCallException("allocate %d MiB for code".formatted(sizeBytes >> 20), -truncated);
                }
                return new ExecutableMemory(fd, sizeBytes);
            } finally {
                // The mappings keep the memory alive.
                LibC.close(fd);
            }
        }
    }

    private static long map(int fd, long sizeBytes, int protection) {
        long address = LibC.mmap(0, sizeBytes, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (address < 0 && address > -4096) {
            String remedy = (protection & PROT_EXEC) == 0
                    ? ""
                    : "; does the host forbid executable memory? --engine interpreter needs none";
            throw new SystemCallException("map %d MiB for code".formatted(sizeBytes >> 20), (int) -address, remedy);
        }
        return address;
    }

    /// The view to write through.
    public MemorySegment writable() {
        return writable;
    }

    /// Lets the host forget which pages have been written through this view, until they are again: so that they do
    /// not count twice as the process's memory. What was written stays.
    public void releaseWritable() {
        LibC.madvise(writable.address(), writable.byteSize(), MADV_DONTNEED);
    }

    /// Where the same bytes are executed.
    public long executableAddress() {
        return executable;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
