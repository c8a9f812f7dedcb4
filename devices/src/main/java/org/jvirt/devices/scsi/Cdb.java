package org.jvirt.devices.scsi;

/// A command descriptor block: up to 16 bytes, big-endian; missing bytes are zero. Filled anew for each command.
/// Not thread-safe.
public final class Cdb {
    public static final int MAX_BYTES = 16;

    private final byte[] bytes = new byte[MAX_BYTES];

    public void load(byte[] from, int offset, int length) {
        int taken = Math.min(length, MAX_BYTES);
        System.arraycopy(from, offset, bytes, 0, taken);
        for (int i = taken; i < MAX_BYTES; i++) {
            bytes[i] = 0;
        }
    }

    public int operation() {
        return u8(0);
    }

    int u8(int at) {
        return bytes[at] & 0xff;
    }

    int u16(int at) {
        return u8(at) << 8 | u8(at + 1);
    }

    int u24(int at) {
        return u8(at) << 16 | u16(at + 1);
    }

    long u32(int at) {
        return (long) u16(at) << 16 | u16(at + 2);
    }

    /// Negative where the guest means more than 2^63.
    long u64(int at) {
        return u32(at) << 32 | u32(at + 4);
    }

    boolean bit(int at, int mask) {
        return (bytes[at] & mask) != 0;
    }
}
