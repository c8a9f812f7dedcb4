package org.jvirt.devices.virtio;

import java.lang.invoke.VarHandle;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;

/// A split ring (virtio §2.7).
///
/// ```
/// descriptor table  16·size   {gpa 8, length 4, flags 2, next 2} …
/// available ring    6+2·size  flags 2, idx 2, head[size] 2, used_event 2        written by the driver
/// used ring         6+8·size  flags 2, idx 2, {id 4, length 4}[size], avail_event 2   written by the device
/// ```
///
/// Both idx fields run freely through 16 bits. [GuestMemory] reads with acquire and writes with release, which is
/// what publishing through idx needs on both sides; where an own write must be visible before a later read, a full
/// fence stands here and says so.
final class SplitQueue extends VirtQueue {
    private static final int AVAIL_F_NO_INTERRUPT = 1;
    private static final int USED_F_NO_NOTIFY = 1;
    private static final int IDX = 2;
    private static final int RING = 4;

    private final long table;
    private final long available;
    private final long usedRing;
    private int nextAvailable;
    private int knownAvailable;
    private int nextUsed;
    private int signalledUsed;
    private boolean signalAnyway;

    SplitQueue(GuestMemory memory, QueueState state, Features features, Runnable interrupt) {
        super(memory, state.size(), features, interrupt);
        if (Integer.bitCount(state.size()) != 1) {
            throw new RingViolation("a split ring of %d entries".formatted(state.size()));
        }
        table = state.descriptor();
        available = state.driver();
        usedRing = state.device();
        checkPart(table, 16L * size(), 16);
        checkPart(available, 6 + 2L * size(), 2);
        checkPart(usedRing, 6 + 8L * size(), 4);
        nextAvailable = state.available();
        knownAvailable = nextAvailable;
        nextUsed = state.used();
        signalledUsed = nextUsed;
        // What was pushed before a save may not have been signalled: one interrupt too many does no harm.
        signalAnyway = true;
    }

    private void checkPart(long gpa, long bytes, int alignment) {
        if ((gpa & alignment - 1) != 0) {
            throw new RingViolation("a ring at 0x%x, which is not aligned to %d".formatted(gpa, alignment));
        }
        if (!memory().contains(gpa, bytes)) {
            throw new GuestAddressException(gpa, bytes);
        }
    }

    @Override
    boolean take(DescriptorChain into) {
        if (nextAvailable == knownAvailable && !lookForMore()) {
            return false;
        }
        int head = memory().readShort(available + RING + 2L * (nextAvailable & size() - 1));
        into.begin(head);
        int index = head;
        for (int seen = 0; ; seen++) {
            if (index >= size()) {
                throw new RingViolation("descriptor %d in a ring of %d".formatted(index, size()));
            }
            if (seen == size()) {
                throw new RingViolation("a loop of descriptors from %d on".formatted(head));
            }
            long at = table + (long) DESCRIPTOR_BYTES * index;
            long gpa = memory().readLong(at);
            long rest = memory().readLong(at + 8);
            long length = rest & 0xffff_ffffL;
            int flags = (int) (rest >>> 32) & 0xffff;
            if ((flags & DESC_F_INDIRECT) != 0) {
                if ((flags & DESC_F_NEXT) != 0) {
                    throw new RingViolation("an indirect descriptor with a next one");
                }
                appendIndirect(into, gpa, length, true);
                break;
            }
            into.append(gpa, length, (flags & DESC_F_WRITE) != 0);
            if ((flags & DESC_F_NEXT) == 0) {
                break;
            }
            index = (int) (rest >>> 48);
        }
        nextAvailable = nextAvailable + 1 & 0xffff;
        return true;
    }

    /// Reads idx. Its acquire orders the reads of ring entries and descriptors behind it.
    private boolean lookForMore() {
        int idx = memory().readShort(available + IDX);
        if ((idx - nextAvailable & 0xffff) > size()) {
            throw new RingViolation("available index %d, %d expected".formatted(idx, nextAvailable));
        }
        knownAvailable = idx;
        return idx != nextAvailable;
    }

    @Override
    public void push(DescriptorChain chain, long writtenBytes) {
        long at = usedRing + RING + 8L * (nextUsed & size() - 1);
        memory().writeLong(at, chain.id() | writtenBytes << 32);
        nextUsed = nextUsed + 1 & 0xffff;
        // Release: the driver that sees the index also sees the entry and the data.
        memory().writeShort(usedRing + IDX, nextUsed);
    }

    @Override
    public void suppressNotification() {
        // With the event index the stale avail_event already keeps the driver quiet.
        if (!eventIndex()) {
            memory().writeShort(usedRing, USED_F_NO_NOTIFY);
        }
    }

    @Override
    boolean armAndCheck() {
        if (eventIndex()) {
            memory().writeShort(usedRing + RING + 8L * size(), nextAvailable);
        } else {
            memory().writeShort(usedRing, 0);
        }
        // Full: the driver must see the request to notify before idx is read again, or both sides could miss.
        VarHandle.fullFence();
        return nextAvailable != knownAvailable || lookForMore();
    }

    @Override
    boolean interruptWanted() {
        int old = signalledUsed;
        if (old == nextUsed && !signalAnyway) {
            return false;
        }
        // Full: the used index must be visible before the driver's wish is read, or both sides could miss.
        VarHandle.fullFence();
        signalledUsed = nextUsed;
        if (!eventIndex()) {
            signalAnyway = false;
            return (memory().readShort(available) & AVAIL_F_NO_INTERRUPT) == 0;
        }
        if (signalAnyway) {
            signalAnyway = false;
            return true;
        }
        int event = memory().readShort(available + RING + 2L * size());
        return (nextUsed - event - 1 & 0xffff) < (nextUsed - old & 0xffff);
    }

    @Override
    QueueState save(int vector) {
        return new QueueState(size(), vector, true, table, available, usedRing, nextAvailable, false, nextUsed, false);
    }
}
