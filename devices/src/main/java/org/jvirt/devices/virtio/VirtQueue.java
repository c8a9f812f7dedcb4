package org.jvirt.devices.virtio;

import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;

/// The device's side of one queue. Its worker's thread only, but for [#halt].
///
/// Requests are taken with [#pop] and given back with [#push]; [#signal] then interrupts the driver if it wants to
/// know. Before a device sleeps it calls [#armNotification] and looks again if that says so.
public abstract sealed class VirtQueue permits SplitQueue, PackedQueue {
    /// An indirect table is an array of these (virtio §2.7.5, §2.8.13).
    static final int DESCRIPTOR_BYTES = 16;

    static final int DESC_F_NEXT = 1;
    static final int DESC_F_WRITE = 2;
    static final int DESC_F_INDIRECT = 4;

    private final GuestMemory memory;
    private final int size;
    private final Features features;
    private final Runnable interrupt;
    private volatile boolean halted;

    /// What was negotiated about rings.
    record Features(boolean indirect, boolean eventIndex) {}

    VirtQueue(GuestMemory memory, int size, Features features, Runnable interrupt) {
        this.memory = memory;
        this.size = size;
        this.features = features;
        this.interrupt = interrupt;
    }

    public final GuestMemory memory() {
        return memory;
    }

    public final int size() {
        return size;
    }

    final boolean indirectAllowed() {
        return features.indirect();
    }

    final boolean eventIndex() {
        return features.eventIndex();
    }

    /// Takes the next request, unless the queue is empty or halted.
    ///
    /// @throws RingViolation if the ring makes no sense
    /// @throws GuestAddressException if it, or an indirect table, is not in RAM
    public final boolean pop(DescriptorChain into) {
        return !halted && take(into);
    }

    /// Gives a request back.
    ///
    /// @param writtenBytes how many bytes of the writable buffers were written, counted from the first
    public abstract void push(DescriptorChain chain, long writtenBytes);

    /// Interrupts the driver if it asked to be told of what was pushed since the last call.
    public final void signal() {
        if (interruptWanted()) {
            interrupt.run();
        }
    }

    /// Asks the driver not to notify while the device is looking anyway.
    public abstract void suppressNotification();

    /// Asks the driver to notify about new requests. Answers whether some came just before it could know, so that
    /// the device must look again.
    public final boolean armNotification() {
        return !halted && armAndCheck();
    }

    abstract boolean take(DescriptorChain into);

    abstract boolean armAndCheck();

    abstract boolean interruptWanted();

    /// Makes [#pop] answer "empty" from now on, or no longer. Any thread.
    final void halt(boolean halt) {
        halted = halt;
    }

    final boolean halted() {
        return halted;
    }

    abstract QueueState save(int vector);

    /// Fills `chain` from an indirect table.
    ///
    /// Split rings link a table's entries by their next field, packed rings take them in order.
    final void appendIndirect(DescriptorChain chain, long table, long tableBytes, boolean linked) {
        if (!features.indirect()) {
            throw new RingViolation("an indirect table that was not negotiated");
        }
        if (tableBytes == 0 || tableBytes % DESCRIPTOR_BYTES != 0) {
            throw new RingViolation("an indirect table of %d bytes".formatted(tableBytes));
        }
        long entries = tableBytes / DESCRIPTOR_BYTES;
        if (entries > DescriptorChain.MAX_BUFFERS) {
            throw new RingViolation("an indirect table of %d entries".formatted(entries));
        }
        if (!memory.contains(table, tableBytes)) {
            throw new GuestAddressException(table, tableBytes);
        }
        long index = 0;
        for (long seen = 0; seen < entries; seen++) {
            long at = table + index * DESCRIPTOR_BYTES;
            long gpa = memory.readLong(at);
            long rest = memory.readLong(at + 8);
            int flags = (int) (rest >>> (linked ? 32 : 48)) & 0xffff;
            if ((flags & DESC_F_INDIRECT) != 0) {
                throw new RingViolation("an indirect table inside an indirect table");
            }
            chain.append(gpa, rest & 0xffff_ffffL, (flags & DESC_F_WRITE) != 0);
            if (!linked) {
                index++;
            } else if ((flags & DESC_F_NEXT) == 0) {
                return;
            } else {
                index = rest >>> 48;
                if (index >= entries) {
                    throw new RingViolation("entry %d in an indirect table of %d".formatted(index, entries));
                }
            }
        }
        if (linked) {
            throw new RingViolation("a loop in an indirect table");
        }
    }
}
