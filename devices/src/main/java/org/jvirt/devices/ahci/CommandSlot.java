package org.jvirt.devices.ahci;

import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.storage.ScatterList;

/// One command as the guest has laid it out (AHCI §4.2.2, §4.2.3). It is read once, when it is loaded; its physical
/// region descriptors when they are needed. One object serves a port. Not thread-safe.
///
/// ```
/// command header  flags 2 (FIS length 5, ATAPI, write, …, C) · descriptors 2 · bytes moved 4 · table 8
/// command table   FIS 64 · packet 16 · reserved 48 · descriptors, 16 each: address 8, reserved 4, bytes - 1
/// ```
final class CommandSlot {
    static final int HEADER_BYTES = 32;
    static final int PACKET_BYTES = 16;
    private static final int FIS_BYTES = 20;
    private static final int PACKET = 0x40;
    private static final int DESCRIPTORS = 0x80;
    private static final int DESCRIPTOR_BYTES = 16;
    private static final int FLAG_CLEAR_BUSY = 1 << 10;
    private static final int BYTE_COUNT_MASK = 0x3f_ffff;

    private final GuestMemory memory;
    private final byte[] fis = new byte[FIS_BYTES];
    private final byte[] packet = new byte[PACKET_BYTES];
    private final ScatterList buffers;
    private long header;
    private int flags;
    private int descriptors;
    private long table;

    CommandSlot(GuestMemory memory) {
        this.memory = memory;
        buffers = new ScatterList(memory);
    }

    /// @throws GuestAddressException if header or table are not in RAM
    void load(long commandList, int slot) {
        header = commandList + (long) slot * HEADER_BYTES;
        int first = memory.readInt(header);
        flags = first & 0xffff;
        descriptors = first >>> 16;
        table = memory.readLong(header + 8) & -128L;
        memory.read(table, fis);
        memory.read(table + PACKET, packet);
    }

    byte[] fis() {
        return fis;
    }

    byte[] packet() {
        return packet;
    }

    /// Whether the slot is done as soon as the device has taken its FIS.
    boolean clearsBusy() {
        return (flags & FLAG_CLEAR_BUSY) != 0;
    }

    /// The guest's memory for `bytes`, or for fewer if there are not as many descriptors.
    ScatterList buffers(long bytes) {
        buffers.clear();
        for (int i = 0; i < descriptors && buffers.bytes() < bytes; i++) {
            long at = table + DESCRIPTORS + (long) i * DESCRIPTOR_BYTES;
            long gpa = memory.readLong(at) & -2L;
            int length = (memory.readInt(at + 12) & BYTE_COUNT_MASK) + 1;
            buffers.add(gpa, length);
        }
        buffers.limit(bytes);
        return buffers;
    }

    void moved(long bytes) {
        memory.writeInt(header + 4, (int) bytes);
    }
}
