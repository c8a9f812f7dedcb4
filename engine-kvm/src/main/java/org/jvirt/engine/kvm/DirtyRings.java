package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.DeviceFile;

/// The rings in which vCPUs note the pages that they write: `struct kvm_dirty_gfn`, 16 bytes: flags, slot, offset
/// in pages.
///
/// ```
/// flags:  0 empty ──KVM──► 1 dirty ──harvest──► 2 harvested ──KVM_RESET_DIRTY_RINGS──► 0
/// ```
///
/// Not thread-safe but for [#used]: [SlotMap] guards it.
///
/// Source: API, 8.29.
final class DirtyRings {
    private static final int ENTRY_BYTES = 16;
    private static final long OFFSET_IN_FILE = 64 * 4096;
    private static final int DIRTY = 1;
    private static final int RESET = 2;

    /// Told of each page.
    interface Sink {
        void page(int slot, int page);
    }

    private static final class Ring {
        final MemorySegment entries;
        int next;

        Ring(MemorySegment entries) {
            this.entries = entries;
        }
    }

    private final DeviceFile vm;
    private final int entries;
    private final List<Ring> rings = new ArrayList<>();

    /// @param entries 0 for none
    DirtyRings(DeviceFile vm, int entries) {
        this.vm = vm;
        this.entries = entries;
    }

    /// Checks what the user has asked for against what KVM offers.
    static void check(int entries, int maximumBytes) {
        if (entries > 0 && (long) entries * ENTRY_BYTES > maximumBytes) {
            throw new UserErrorException(
                    maximumBytes == 0
                            ? "This host's KVM has no rings of dirty pages (KVM_CAP_DIRTY_LOG_RING): leave them out"
                            : "A ring of %d dirty pages is too long: this host's KVM takes up to %d"
                                    .formatted(entries, maximumBytes / ENTRY_BYTES));
        }
    }

    static int bytes(int entries) {
        return entries * ENTRY_BYTES;
    }

    boolean used() {
        return entries > 0;
    }

    /// A vCPU has come into being.
    void add(DeviceFile vcpu) {
        if (used()) {
            rings.add(new Ring(vcpu.map(OFFSET_IN_FILE, bytes(entries))));
        }
    }

    void clear() {
        rings.clear();
    }

    /// Reports all pages noted since the last time and makes room.
    void harvest(Sink sink) {
        boolean any = false;
        for (Ring ring : rings) {
            any |= harvest(ring, sink);
        }
        if (any) {
            vm.ioctl("KVM_RESET_DIRTY_RINGS", Ioctls.KVM_RESET_DIRTY_RINGS, 0);
        }
    }

    private boolean harvest(Ring ring, Sink sink) {
        boolean any = false;
        while (true) {
            long at = (long) ENTRY_BYTES * ring.next;
            if ((ring.entries.get(JAVA_INT, at) & DIRTY) == 0) {
                return any;
            }
            // Acquire: the entry is complete before the flag says so. Release: it has been read before it is given
            // back.
            VarHandle.acquireFence();
            sink.page(ring.entries.get(JAVA_INT, at + 4) & 0xFFFF, (int) ring.entries.get(JAVA_LONG, at + 8));
            VarHandle.releaseFence();
            ring.entries.set(JAVA_INT, at, RESET);
            ring.next = (ring.next + 1) % entries;
            any = true;
        }
    }
}
