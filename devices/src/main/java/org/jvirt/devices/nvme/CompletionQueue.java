package org.jvirt.devices.nvme;

import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;

/// A ring of completions that the controller writes and the driver frees (NVMe §4.1, §4.6). Thread-safe: several
/// submission queues may complete into one.
final class CompletionQueue {
    static final int ENTRY_BYTES = 16;

    private final GuestMemory memory;
    private final long base;
    private final int size;
    private final int vector;
    private final boolean interrupts;
    private int head; // guarded by this, as all below
    private int tail;
    private int reserved;
    private boolean phase = true;

    /// @param vector     of MSI-X
    /// @param interrupts whether it interrupts at all
    CompletionQueue(GuestMemory memory, long base, int size, int vector, boolean interrupts) {
        this.memory = memory;
        this.base = base;
        this.size = size;
        this.vector = vector;
        this.interrupts = interrupts;
    }

    int size() {
        return size;
    }

    int vector() {
        return vector;
    }

    boolean interrupts() {
        return interrupts;
    }

    /// Keeps an entry free for a command that is about to begin; false while all are in use.
    synchronized boolean reserve() {
        int used = Math.floorMod(tail - head, size);
        if (used + reserved >= size - 1) {
            return false;
        }
        reserved++;
        return true;
    }

    /// The command will complete another time.
    synchronized void release() {
        reserved--;
    }

    /// Completes a command whose entry was reserved.
    ///
    /// @throws GuestAddressException if the queue is not in RAM
    synchronized void post(int result, int queueHead, int queue, int command, int status) {
        reserved--;
        long at = base + (long) tail * ENTRY_BYTES;
        memory.writeLong(at, result & 0xffff_ffffL);
        memory.writeInt(at + 8, queueHead | queue << 16);
        int permanent = status == NvmeStatus.SUCCESS ? 0 : NvmeStatus.DO_NOT_RETRY;
        // With the phase bit the entry is the driver's: it is written last, with release.
        memory.writeInt(at + 12, command | (status | permanent) << 17 | (phase ? 1 << 16 : 0));
        if (++tail == size) {
            tail = 0;
            phase = !phase;
        }
    }

    /// The driver has freed entries; false where the number cannot be.
    synchronized boolean free(int newHead) {
        if (newHead >= size || Math.floorMod(newHead - head, size) > Math.floorMod(tail - head, size)) {
            return false;
        }
        head = newHead;
        return true;
    }

    synchronized boolean empty() {
        return head == tail;
    }
}
