package org.jvirt.devices.virtio;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;

/// One request in a queue: buffers to read, then buffers to write, both given as addresses and lengths that were
/// copied out of the ring once and are never read there again.
///
/// Buffers that lie next to one another are joined. Offsets count through all readable, or all writable, buffers.
/// An object is filled anew by each [VirtQueue#pop]. Not thread-safe.
public final class DescriptorChain {
    /// More buffers than this in one request are a violation.
    public static final int MAX_BUFFERS = 1024;

    private static final long MAX_BYTES = 0xffff_ffffL;

    private final GuestMemory memory;
    private final long[] gpas = new long[MAX_BUFFERS];
    private final long[] lengths = new long[MAX_BUFFERS];
    private final List<MemorySegment> slices = new ArrayList<>();
    private int readableCount;
    private int count;
    private int descriptors;
    private long readableBytes;
    private long writableBytes;

    // What the queue needs to give the request back.
    private int id;
    private int ringEntries;

    public DescriptorChain(GuestMemory memory) {
        this.memory = memory;
    }

    void begin(int requestId) {
        id = requestId;
        readableCount = 0;
        count = 0;
        descriptors = 0;
        readableBytes = 0;
        writableBytes = 0;
        ringEntries = 0;
    }

    void identify(int requestId, int entries) {
        id = requestId;
        ringEntries = entries;
    }

    int id() {
        return id;
    }

    int ringEntries() {
        return ringEntries;
    }

    void append(long gpa, long length, boolean write) {
        if (++descriptors > MAX_BUFFERS) {
            throw new RingViolation("a request of more than %d buffers".formatted(MAX_BUFFERS));
        }
        if (!write && count > readableCount) {
            throw new RingViolation("a readable buffer behind a writable one");
        }
        if (readableBytes + writableBytes + length > MAX_BYTES) {
            throw new RingViolation("a request of more than 4 GiB");
        }
        if (length == 0) {
            return;
        }
        boolean sameDirection = count > 0 && write == count > readableCount;
        if (sameDirection && gpas[count - 1] + lengths[count - 1] == gpa) {
            lengths[count - 1] += length;
        } else {
            gpas[count] = gpa;
            lengths[count] = length;
            count++;
            if (!write) {
                readableCount = count;
            }
        }
        if (write) {
            writableBytes += length;
        } else {
            readableBytes += length;
        }
    }

    /// Bytes the driver gives.
    public long readableBytes() {
        return readableBytes;
    }

    /// Bytes the driver takes.
    public long writableBytes() {
        return writableBytes;
    }

    /// Copies from the readable buffers.
    ///
    /// @throws RingViolation if there are not as many
    public void read(long offset, byte[] into, int length) {
        MemorySegment target = MemorySegment.ofArray(into);
        long at = 0;
        for (MemorySegment part : readSlices(offset, length)) {
            MemorySegment.copy(part, 0, target, at, part.byteSize());
            at += part.byteSize();
        }
    }

    /// Copies to the writable buffers.
    public void write(long offset, byte[] from, int length) {
        MemorySegment source = MemorySegment.ofArray(from);
        long at = 0;
        for (MemorySegment part : writeSlices(offset, length)) {
            MemorySegment.copy(source, at, part, 0, part.byteSize());
            at += part.byteSize();
        }
        filled(offset, length);
    }

    public void writeByte(long offset, int value) {
        long left = offset;
        for (int i = readableCount; i < count; i++) {
            if (left < lengths[i]) {
                memory.writeByte(gpas[i] + left, value);
                return;
            }
            left -= lengths[i];
        }
        throw new RingViolation("no writable byte %d".formatted(offset));
    }

    /// Windows on the readable buffers, for I/O to read. The list is valid until the next call on this object.
    ///
    /// @throws GuestAddressException if a buffer is not RAM
    public List<MemorySegment> readSlices(long offset, long length) {
        slices.clear();
        visit(0, readableCount, offset, length, Purpose.READ);
        return slices;
    }

    /// Windows on the writable buffers, for I/O to fill; [#filled] must follow.
    ///
    /// @throws GuestAddressException if a buffer is not RAM
    public List<MemorySegment> writeSlices(long offset, long length) {
        slices.clear();
        visit(readableCount, count, offset, length, Purpose.WRITE);
        return slices;
    }

    /// The end of what [#writeSlices] began.
    public void filled(long offset, long length) {
        visit(readableCount, count, offset, length, Purpose.FILLED);
    }

    private enum Purpose {
        READ,
        WRITE,
        FILLED
    }

    private void visit(int from, int to, long offset, long length, Purpose purpose) {
        long skip = offset;
        long left = length;
        for (int i = from; i < to && left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            long part = Math.min(left, lengths[i] - skip);
            visitRange(gpas[i] + skip, part, purpose);
            skip = 0;
            left -= part;
        }
        if (left > 0) {
            throw new RingViolation("a request %d bytes too short".formatted(left));
        }
    }

    private void visitRange(long gpa, long length, Purpose purpose) {
        if (memory.contains(gpa, length)) {
            apply(gpa, length, purpose);
            return;
        }
        // RAM below and above a border between slots is one piece to the guest.
        long at = gpa;
        long left = length;
        while (left > 0) {
            long part = Math.min(left, bytesInSlot(at, left));
            apply(at, part, purpose);
            at += part;
            left -= part;
        }
    }

    private long bytesInSlot(long gpa, long wanted) {
        for (MemorySlot slot : memory.slots()) {
            if (slot.contains(gpa)) {
                return slot.end() - gpa;
            }
        }
        throw new GuestAddressException(gpa, wanted);
    }

    private void apply(long gpa, long length, Purpose purpose) {
        switch (purpose) {
            case READ -> slices.add(memory.readSlice(gpa, length));
            case WRITE -> slices.add(memory.writeSlice(gpa, length));
            case FILLED -> memory.wasFilled(gpa, length);
        }
    }
}
