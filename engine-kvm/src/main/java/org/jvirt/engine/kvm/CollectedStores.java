package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.ExitHandler;
import org.jvirt.linux.DeviceFile;

/// Stores to device registers that KVM keeps in a ring until somebody looks: `struct kvm_coalesced_mmio_ring`, one
/// page that all vCPUs share.
///
/// ```
/// 0 first   4 last   8 + 24·i: phys_addr, len, pad, 8 bytes of data
/// ```
///
/// Thread-safe. Whoever drains delivers, on its own thread; others wait, so that no store is overtaken by a later
/// exit.
///
/// Source: API, 4.116.
final class CollectedStores {
    private static final int RING_PAGE = 2;
    private static final int PAGE_BYTES = 4096;
    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 24;
    private static final int CAPACITY = (PAGE_BYTES - HEADER_BYTES) / ENTRY_BYTES;

    private final DeviceFile vm;
    private @Nullable MemorySegment ring;
    /// Read without lock at every exit: VMs without such registers pay one plain read.
    private volatile boolean used;

    CollectedStores(DeviceFile vm) {
        this.vm = vm;
    }

    /// The first vCPU's mapping shows the ring.
    synchronized void attach(MemorySegment mapping) {
        if (ring == null && mapping.byteSize() >= (RING_PAGE + 1L) * PAGE_BYTES) {
            ring = mapping.asSlice((long) RING_PAGE * PAGE_BYTES, PAGE_BYTES);
        }
    }

    synchronized void detach() {
        ring = null;
        used = false;
    }

    /// Registers a range; KVM may refuse, and its stores then come one by one.
    synchronized void add(long gpa, long sizeBytes) {
        if (ring == null) {
            throw new IllegalStateException("Stores are collected by vCPUs, and there is none yet");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zone = arena.allocate(16, 8);
            zone.set(JAVA_LONG, 0, gpa);
            zone.set(JAVA_INT, 8, Math.toIntExact(sizeBytes));
            if (vm.tryIoctl(Ioctls.KVM_REGISTER_COALESCED_MMIO, zone) >= 0) {
                used = true;
            }
        }
    }

    /// Delivers what has been collected.
    void drain(ExitHandler io) {
        if (used) {
            deliver(io);
        }
    }

    private synchronized void deliver(ExitHandler io) {
        MemorySegment r = ring;
        if (r == null) {
            return;
        }
        while (true) {
            int first = r.get(JAVA_INT, 0);
            int last = r.get(JAVA_INT, 4);
            // Acquire: an entry is complete before `last` covers it. Release: it is read before `first` frees it.
            VarHandle.acquireFence();
            if (first == last || first < 0 || first >= CAPACITY) {
                return;
            }
            long at = HEADER_BYTES + (long) ENTRY_BYTES * first;
            long gpa = r.get(JAVA_LONG, at);
            int length = r.get(JAVA_INT, at + 8);
            long data = r.get(JAVA_LONG, at + 16);
            VarHandle.releaseFence();
            r.set(JAVA_INT, 0, (first + 1) % CAPACITY);
            if (length == 1 || length == 2 || length == 4 || length == 8) {
                io.writeMmio(gpa, length, data & -1L >>> 64 - 8 * length);
            }
        }
    }
}
