package org.jvirt.devices.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.storage.ScatterList;

/// One submission queue entry, copied out of the queue once, and the memory it names (NVMe §4.2, §4.3). One object
/// serves a queue. Not thread-safe.
final class NvmeCommand {
    static final int BYTES = 64;
    private static final int DATA_POINTER_MASK = 0xc0;
    private static final int FUSED_MASK = 0x03;

    private final GuestMemory memory;
    private final byte[] bytes = new byte[BYTES];
    private final ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private final ScatterList buffers;
    private int pageBytes = 4096;

    NvmeCommand(GuestMemory memory) {
        this.memory = memory;
        buffers = new ScatterList(memory);
    }

    /// @param page the page size that the driver has chosen
    /// @throws GuestAddressException if the entry is not in RAM
    void load(long gpa, int page) {
        memory.read(gpa, bytes);
        pageBytes = page;
    }

    int operation() {
        return bytes[0] & 0xff;
    }

    int id() {
        return fields.getShort(2) & 0xffff;
    }

    int namespace() {
        return fields.getInt(4);
    }

    /// Command double word 10 to 15.
    int word(int number) {
        return fields.getInt(4 * number);
    }

    /// Command double words `number` and the next.
    long words(int number) {
        return fields.getLong(4 * number);
    }

    /// Neither fused nor with scatter-gather lists, which the controller does not offer.
    boolean plain() {
        return (bytes[1] & (DATA_POINTER_MASK | FUSED_MASK)) == 0;
    }

    long pointer1() {
        return fields.getLong(24);
    }

    /// Collects the memory for `length` bytes from the physical region pages.
    ///
    /// @return a status
    /// @throws GuestAddressException if a list is not in RAM
    int collect(long length) {
        buffers.clear();
        long first = pointer1();
        long second = fields.getLong(32);
        long offset = first & pageBytes - 1;
        if ((first & 3) != 0) {
            return NvmeStatus.INVALID_PRP_OFFSET;
        }
        long left = length - Math.min(length, pageBytes - offset);
        buffers.add(first, length - left);
        if (left == 0) {
            return NvmeStatus.SUCCESS;
        }
        if (left <= pageBytes) {
            if ((second & pageBytes - 1) != 0) {
                return NvmeStatus.INVALID_PRP_OFFSET;
            }
            buffers.add(second, left);
            return NvmeStatus.SUCCESS;
        }
        return collectList(second, left);
    }

    /// The last entry of a page of the list leads to the next such page, if there is more than one entry left.
    private int collectList(long list, long length) {
        if ((list & 7) != 0) {
            return NvmeStatus.INVALID_PRP_OFFSET;
        }
        long at = list;
        long left = length;
        while (left > 0) {
            long entry = memory.readLong(at);
            if ((entry & pageBytes - 1) != 0) {
                return NvmeStatus.INVALID_PRP_OFFSET;
            }
            boolean lastOfPage = (at & pageBytes - 1) == pageBytes - 8;
            if (lastOfPage && left > pageBytes) {
                at = entry;
                // Each page of the list but this one holds at least one entry of data.
                entry = memory.readLong(at);
                if ((entry & pageBytes - 1) != 0) {
                    return NvmeStatus.INVALID_PRP_OFFSET;
                }
            }
            long part = Math.min(left, pageBytes);
            buffers.add(entry, part);
            left -= part;
            at += 8;
        }
        return NvmeStatus.SUCCESS;
    }

    ScatterList buffers() {
        return buffers;
    }

    /// Gives the driver up to `length` bytes of `content`, from `offset` on; behind its end zeroes.
    ///
    /// @return a status
    int give(byte[] content, int offset, int length) {
        int status = collect(length);
        if (status == NvmeStatus.SUCCESS) {
            var part = new byte[length];
            if (offset < content.length) {
                System.arraycopy(content, offset, part, 0, Math.min(length, content.length - offset));
            }
            buffers.put(0, part, length);
        }
        return status;
    }
}
