package org.jvirt.machine.boot;

import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.layout.MemoryMap;

/// Finds room for the initial RAM disk.
final class InitrdPlace {
    private InitrdPlace() {}

    /// The highest place below `limit` that is above the kernel.
    ///
    /// @param kernelEnd the first address that the kernel leaves free while it starts
    /// @param limit     the first address that the kernel cannot reach, or more than there is RAM
    static long below(HostFile initrd, long kernelEnd, long limit, MemoryMap memory) {
        long end = Math.min(limit, memory.lowRamEnd());
        long gpa = end - initrd.sizeBytes() & -GuestMemory.PAGE_BYTES;
        if (gpa < kernelEnd) {
            throw new UserErrorException(
                    "The initrd '%s' has %s, but only %s are free between the kernel's end (0x%x) and 0x%x: %s"
                            .formatted(
                                    initrd.path(),
                                    MemoryMap.size(initrd.sizeBytes()),
                                    MemoryMap.size(Math.max(0, end - kernelEnd)),
                                    kernelEnd,
                                    end,
                                    remedy(initrd, kernelEnd, limit)));
        }
        return gpa;
    }

    private static String remedy(HostFile initrd, long kernelEnd, long limit) {
        long needed = kernelEnd + initrd.sizeBytes() + GuestMemory.PAGE_BYTES;
        return needed <= Math.min(limit, MemoryMap.LOW_RAM_END)
                ? "give at least %d MiB of memory".formatted(Math.ceilDiv(needed, MemoryMap.ONE_MIB))
                : "make it smaller";
    }
}
