package org.jvirt.devices.storage;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;

/// Addresses and lengths that a controller has read out of the guest's own table, once. All of them serve both
/// directions. Not thread-safe.
///
/// Pieces that lie next to one another are joined. An object is filled anew for each command.
public final class ScatterList implements DataBuffers {
    private final GuestMemory memory;
    private final List<MemorySegment> slices = new ArrayList<>();
    private long[] gpas = new long[32];
    private long[] lengths = new long[32];
    private int count;
    private long bytes;

    public ScatterList(GuestMemory memory) {
        this.memory = memory;
    }

    public void clear() {
        count = 0;
        bytes = 0;
    }

    public void add(long gpa, long length) {
        if (length <= 0) {
            return;
        }
        bytes += length;
        if (count > 0 && gpas[count - 1] + lengths[count - 1] == gpa) {
            lengths[count - 1] += length;
            return;
        }
        if (count == gpas.length) {
            gpas = Arrays.copyOf(gpas, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        gpas[count] = gpa;
        lengths[count] = length;
        count++;
    }

    /// Forgets what lies behind the first `length` bytes.
    public void limit(long length) {
        while (bytes > length) {
            long surplus = Math.min(bytes - length, lengths[count - 1]);
            lengths[count - 1] -= surplus;
            bytes -= surplus;
            if (lengths[count - 1] == 0) {
                count--;
            }
        }
    }

    public long bytes() {
        return bytes;
    }

    @Override
    public long inBytes() {
        return bytes;
    }

    @Override
    public long outBytes() {
        return bytes;
    }

    @Override
    public List<MemorySegment> in(long offset, long length) {
        slices.clear();
        visit(offset, length, Purpose.FILL);
        return slices;
    }

    @Override
    public void filled(long offset, long length) {
        visit(offset, length, Purpose.FILLED);
    }

    @Override
    public List<MemorySegment> out(long offset, long length) {
        slices.clear();
        visit(offset, length, Purpose.READ);
        return slices;
    }

    private enum Purpose {
        READ,
        FILL,
        FILLED
    }

    private void visit(long offset, long length, Purpose purpose) {
        if (offset < 0 || length < 0 || length > bytes - offset) {
            throw new IllegalArgumentException("%d bytes at %d of %d".formatted(length, offset, bytes));
        }
        long skip = offset;
        long left = length;
        for (int i = 0; i < count && left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            long part = Math.min(left, lengths[i] - skip);
            visitRange(gpas[i] + skip, part, purpose);
            skip = 0;
            left -= part;
        }
    }

    /// RAM below and above a border between slots is one piece to the guest.
    private void visitRange(long gpa, long length, Purpose purpose) {
        long at = gpa;
        long left = length;
        while (left > 0) {
            long part = memory.contains(at, left) ? left : Math.min(left, bytesInSlot(at, left));
            switch (purpose) {
                case READ -> slices.add(memory.readSlice(at, part));
                case FILL -> slices.add(memory.writeSlice(at, part));
                case FILLED -> memory.wasFilled(at, part);
            }
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
}
