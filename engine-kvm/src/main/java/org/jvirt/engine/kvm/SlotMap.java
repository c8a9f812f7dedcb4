package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.core.DirtyPages;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.DeviceFile;

/// A VM's memory slots in KVM, and the pages that the guest has written. Thread-safe.
///
/// What devices write is noted by [GuestMemory]; both halves are put together.
///
/// `struct kvm_userspace_memory_region`: slot, flags, guest_phys_addr, memory_size, userspace_addr.
/// `struct kvm_dirty_log`: slot, padding, pointer to one bit for each page.
///
/// Source: API, 4.35 and 4.8.
final class SlotMap {
    private static final int REGION_BYTES = 32;
    private static final int LOG_BYTES = 16;
    private static final int LOG_DIRTY_PAGES = 1;
    private static final int READ_ONLY = 2;

    private final DeviceFile vm;
    private final GuestMemory memory;
    /// By slot: what the rings have told and nobody has taken. A slot is in here once its logging is on.
    private final Map<MemorySlot, BitSet> logged = new HashMap<>();
    private final DirtyRings rings;

    SlotMap(DeviceFile vm, GuestMemory memory, int available, DirtyRings rings) {
        this.vm = vm;
        this.memory = memory;
        this.rings = rings;
        List<MemorySlot> slots = memory.slots();
        if (slots.size() > available) {
            throw new UserErrorException("The VM needs %d memory slots, and this host's KVM has %d for a VM"
                    .formatted(slots.size(), available));
        }
        for (int i = 0; i < slots.size(); i++) {
            set(i, slots.get(i), 0);
        }
    }

    private void set(int number, MemorySlot slot, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment region = arena.allocate(REGION_BYTES, 8);
            region.set(JAVA_INT, 0, number);
            region.set(JAVA_INT, 4, flags | (slot.readOnly() ? READ_ONLY : 0));
            region.set(JAVA_LONG, 8, slot.gpa());
            region.set(JAVA_LONG, 16, slot.sizeBytes());
            region.set(JAVA_LONG, 24, memory.backing().address() + slot.offsetBytes());
            vm.ioctl(
                    "KVM_SET_USER_MEMORY_REGION (%d KiB at 0x%x)".formatted(slot.sizeBytes() >> 10, slot.gpa()),
                    Ioctls.KVM_SET_USER_MEMORY_REGION,
                    region);
        }
    }

    /// See [org.jvirt.core.Vm#takeDirtyPages].
    synchronized DirtyPages take(MemorySlot slot) {
        int number = memory.slots().indexOf(slot);
        if (number < 0) {
            throw new IllegalArgumentException("Slot %d is not one of this VM's".formatted(slot.id()));
        }
        int pages = Math.toIntExact(slot.sizeBytes() >>> GuestMemory.PAGE_SHIFT);
        if (slot.readOnly()) {
            // the guest cannot write it, and KVM does not log it
            return memory.takeDirtyPages(slot);
        }
        BitSet fromRings = logged.get(slot);
        if (fromRings == null) {
            logged.put(slot, new BitSet(pages));
            set(number, slot, LOG_DIRTY_PAGES);
            var _ = memory.takeDirtyPages(slot);
            var all = new BitSet(pages);
            all.set(0, pages);
            return new DirtyPages(slot, all);
        }
        BitSet taken = memory.takeDirtyPages(slot).pages();
        if (rings.used()) {
            collectRings();
            taken.or(fromRings);
            fromRings.clear();
        } else {
            taken.or(log(number, pages));
        }
        return new DirtyPages(slot, taken);
    }

    private BitSet log(int number, int pages) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bits = arena.allocate((pages + 63L) / 64 * 8, 8);
            MemorySegment request = arena.allocate(LOG_BYTES, 8);
            request.set(JAVA_INT, 0, number);
            request.set(JAVA_LONG, 8, bits.address());
            vm.ioctl("KVM_GET_DIRTY_LOG", Ioctls.KVM_GET_DIRTY_LOG, request);
            return BitSet.valueOf(bits.toArray(JAVA_LONG));
        }
    }

    /// The rings are about to be unmapped; what is in them is kept.
    synchronized void closeRings() {
        collectRings();
        rings.clear();
    }

    /// Empties the rings of all vCPUs. Any thread; a vCPU calls it when its own ring is full.
    synchronized void collectRings() {
        List<MemorySlot> slots = memory.slots();
        rings.harvest((number, page) -> {
            if (number < slots.size()) {
                BitSet pages = logged.get(slots.get(number));
                if (pages != null) {
                    pages.set(page);
                }
            }
        });
    }
}
