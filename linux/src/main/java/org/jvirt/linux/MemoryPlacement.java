package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/// Where the host keeps a guest's memory, and what it may do with it. Each method is about one whole mapping; call
/// them before it is used. Thread-safe.
public final class MemoryPlacement {
    private static final int MADV_MERGEABLE = 12;
    private static final int MADV_POPULATE_WRITE = 23;
    private static final int MPOL_MF_STRICT = 1;
    private static final long PAGE_BYTES = 4096;
    private static final int EINVAL = 22;

    /// How memory is spread over the host's NUMA nodes (`mbind(2)`).
    public enum Policy {
        /// This node, or others when it is full.
        PREFERRED(1),
        /// These nodes only.
        BIND(2),
        /// These nodes in turn, page by page.
        INTERLEAVE(3);

        private final int number;

        Policy(int number) {
            this.number = number;
        }
    }

    private MemoryPlacement() {}

    /// @param nodes which NUMA nodes
    /// @throws SystemCallException if the host has no such nodes, or has no NUMA policies
    public static void bind(MemorySegment memory, Policy policy, BitSet nodes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = HostThread.bits(arena, nodes);
            int result = PlacementCalls.mbind(
                    memory.address(),
                    memory.byteSize(),
                    policy.number,
                    mask,
                    8 * mask.byteSize(),
                    policy == Policy.BIND ? MPOL_MF_STRICT : 0);
            if (result < 0) {
                throw new SystemCallException(
                        "place %s on NUMA nodes %s".formatted(size(memory), nodes),
                        -result,
                        "; name nodes of /sys/devices/system/node/online that this process may use");
            }
        }
    }

    /// Lets the kernel keep one copy of pages that are alike in many guests (KSM). The memory must be private.
    ///
    /// @throws SystemCallException if this kernel has no KSM
    public static void merge(MemorySegment memory) {
        int result = LibC.madvise(memory.address(), memory.byteSize(), MADV_MERGEABLE);
        if (result < 0) {
            throw new SystemCallException(
                    "let the host merge equal pages of %s".formatted(size(memory)),
                    -result,
                    "; the host's kernel must have KSM (CONFIG_KSM)");
        }
    }

    /// Brings every page into being now.
    ///
    /// @throws SystemCallException if the host does not have so many
    public static void populate(MemorySegment memory) {
        int result = LibC.madvise(memory.address(), memory.byteSize(), MADV_POPULATE_WRITE);
        if (result == -EINVAL) {
            // Linux before 5.14: touch every page.
            for (long at = 0; at < memory.byteSize(); at += PAGE_BYTES) {
                memory.set(JAVA_BYTE, at, (byte) 0);
            }
        } else if (result < 0) {
            throw new SystemCallException("reserve %s".formatted(size(memory)), -result, "; give the guest less");
        }
    }

    private static String size(MemorySegment memory) {
        return "%d MiB of guest memory".formatted(memory.byteSize() >> 20);
    }
}
