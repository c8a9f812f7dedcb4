package org.jvirt.devices.nvme;

/// A ring of commands that the driver writes (NVMe §4.1). The tail belongs to vCPU threads, the head to the queue's
/// worker.
final class SubmissionQueue {
    private final long base;
    private final int size;
    private final int completionId;
    private final CompletionQueue completions;
    private volatile int tail;
    private volatile int head;

    SubmissionQueue(long base, int size, int completionId, CompletionQueue completions) {
        this.base = base;
        this.size = size;
        this.completionId = completionId;
        this.completions = completions;
    }

    CompletionQueue completions() {
        return completions;
    }

    int completionId() {
        return completionId;
    }

    /// The driver rang; false where the number cannot be.
    boolean ring(int newTail) {
        if (newTail >= size) {
            return false;
        }
        tail = newTail;
        return true;
    }

    boolean empty() {
        return head == tail;
    }

    /// Where the next command is.
    long next() {
        return base + (long) head * NvmeCommand.BYTES;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void advance() {
        head = head + 1 == size ? 0 : head + 1;
    }

    int head() {
        return head;
    }
}
