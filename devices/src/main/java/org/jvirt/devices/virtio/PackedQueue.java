package org.jvirt.devices.virtio;

import java.lang.invoke.VarHandle;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;

/// A packed ring (virtio §2.8): one ring of descriptors that driver and device take turns to own, told apart by two
/// flag bits and a wrap counter on each side.
///
/// ```
/// descriptor   gpa 8, length 4, buffer id 2, flags 2 (… AVAIL bit 7 … USED bit 15)
/// driver area  position and wrap 2, flags 2      when the driver wants an interrupt
/// device area  position and wrap 2, flags 2      when the device wants a notification
/// ```
///
/// A descriptor's flags publish it: they are read first with acquire and written last with release, which
/// [GuestMemory] does. Full fences say why they stand here.
final class PackedQueue extends VirtQueue {
    private static final int DESC_F_AVAIL = 0x0080;
    private static final int DESC_F_USED = 0x8000;
    private static final int EVENT_FLAGS_ENABLE = 0;
    private static final int EVENT_FLAGS_DISABLE = 1;
    private static final int EVENT_FLAGS_DESC = 2;
    private static final int WRAP = 0x8000;
    private static final int LENGTH = 8;
    private static final int ID = 12;
    private static final int FLAGS = 14;

    private final long ring;
    private final long driverArea;
    private final long deviceArea;
    private int nextAvailable;
    private boolean availableWrap;
    private int nextUsed;
    private boolean usedWrap;
    private int pushedSinceSignal;
    private boolean signalAnyway = true;

    PackedQueue(GuestMemory memory, QueueState state, Features features, Runnable interrupt) {
        super(memory, state.size(), features, interrupt);
        ring = state.descriptor();
        driverArea = state.driver();
        deviceArea = state.device();
        checkPart(ring, 16L * size(), 16);
        checkPart(driverArea, 4, 4);
        checkPart(deviceArea, 4, 4);
        if (state.available() >= size() || state.used() >= size()) {
            throw new RingViolation("a position outside a ring of %d".formatted(size()));
        }
        nextAvailable = state.available();
        availableWrap = state.availableWrap();
        nextUsed = state.used();
        usedWrap = state.usedWrap();
    }

    private void checkPart(long gpa, long bytes, int alignment) {
        if ((gpa & alignment - 1) != 0) {
            throw new RingViolation("a packed ring at 0x%x, which is not aligned to %d".formatted(gpa, alignment));
        }
        if (!memory().contains(gpa, bytes)) {
            throw new GuestAddressException(gpa, bytes);
        }
    }

    private boolean isAvailable(int flags) {
        boolean available = (flags & DESC_F_AVAIL) != 0;
        boolean used = (flags & DESC_F_USED) != 0;
        return available == availableWrap && used != availableWrap;
    }

    private boolean moreAvailable() {
        return isAvailable(memory().readShort(ring + (long) DESCRIPTOR_BYTES * nextAvailable + FLAGS));
    }

    @Override
    boolean take(DescriptorChain into) {
        int index = nextAvailable;
        boolean wrap = availableWrap;
        int flags = memory().readShort(ring + (long) DESCRIPTOR_BYTES * index + FLAGS);
        if (!isAvailable(flags)) {
            return false;
        }
        into.begin(0);
        int id;
        int entries = 0;
        while (true) {
            if (entries == size()) {
                throw new RingViolation("a list longer than its ring of %d".formatted(size()));
            }
            long at = ring + (long) DESCRIPTOR_BYTES * index;
            long gpa = memory().readLong(at);
            long length = memory().readInt(at + LENGTH) & 0xffff_ffffL;
            id = memory().readShort(at + ID);
            entries++;
            index++;
            if (index == size()) {
                index = 0;
                wrap = !wrap;
            }
            if ((flags & DESC_F_INDIRECT) != 0) {
                if (entries > 1 || (flags & DESC_F_NEXT) != 0) {
                    throw new RingViolation("an indirect descriptor inside a list");
                }
                appendIndirect(into, gpa, length, false);
                break;
            }
            into.append(gpa, length, (flags & DESC_F_WRITE) != 0);
            if ((flags & DESC_F_NEXT) == 0) {
                break;
            }
            // The driver makes the first descriptor of a list available last: those behind it are complete.
            flags = memory().readShort(ring + (long) DESCRIPTOR_BYTES * index + FLAGS);
        }
        into.identify(id, entries);
        nextAvailable = index;
        availableWrap = wrap;
        return true;
    }

    @Override
    public void push(DescriptorChain chain, long writtenBytes) {
        long at = ring + (long) DESCRIPTOR_BYTES * nextUsed;
        memory().writeInt(at + LENGTH, (int) writtenBytes);
        memory().writeShort(at + ID, chain.id());
        int flags = (usedWrap ? DESC_F_AVAIL | DESC_F_USED : 0) | (writtenBytes > 0 ? DESC_F_WRITE : 0);
        // Release: the driver that sees the flags also sees id, length and data.
        memory().writeShort(at + FLAGS, flags);
        nextUsed += chain.ringEntries();
        pushedSinceSignal += chain.ringEntries();
        if (nextUsed >= size()) {
            nextUsed -= size();
            usedWrap = !usedWrap;
        }
    }

    @Override
    public void suppressNotification() {
        memory().writeShort(deviceArea + 2, EVENT_FLAGS_DISABLE);
    }

    @Override
    boolean armAndCheck() {
        if (eventIndex()) {
            memory().writeShort(deviceArea, nextAvailable | (availableWrap ? WRAP : 0));
            // Release: the position is valid before the flags refer to it.
            memory().writeShort(deviceArea + 2, EVENT_FLAGS_DESC);
        } else {
            memory().writeShort(deviceArea + 2, EVENT_FLAGS_ENABLE);
        }
        // Full: the driver must see the request to notify before the ring is read again, or both sides could miss.
        VarHandle.fullFence();
        return moreAvailable();
    }

    @Override
    boolean interruptWanted() {
        if (pushedSinceSignal == 0 && !signalAnyway) {
            return false;
        }
        // Full: the used descriptors must be visible before the driver's wish is read, or both sides could miss.
        VarHandle.fullFence();
        boolean anyway = signalAnyway;
        int pushed = pushedSinceSignal;
        signalAnyway = false;
        pushedSinceSignal = 0;
        int flags = memory().readShort(driverArea + 2) & 3;
        if (flags == EVENT_FLAGS_DISABLE) {
            return false;
        }
        if (flags != EVENT_FLAGS_DESC || !eventIndex() || anyway) {
            return true;
        }
        int event = memory().readShort(driverArea);
        int position = event & ~WRAP;
        // In the count of entries that ends at nextUsed: how far back the wanted position lies.
        int distance = nextUsed - position + ((event & WRAP) != 0 == usedWrap ? 0 : size());
        return distance > 0 && distance <= pushed;
    }

    @Override
    QueueState save(int vector) {
        return new QueueState(
                size(), vector, true, ring, driverArea, deviceArea, nextAvailable, availableWrap, nextUsed, usedWrap);
    }
}
