package org.jvirt.devices.pci;

/// The 4096 bytes of a function's configuration space, with what a guest may do to each bit: nothing, write it, or
/// clear it by writing one. Little-endian. Guarded by the owner's lock.
public final class ConfigSpace {
    public static final int BYTES = 4096;
    /// What functions without PCI Express show.
    public static final int CONVENTIONAL_BYTES = 256;

    public static final int VENDOR_ID = 0x00;
    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int REVISION_ID = 0x08;
    public static final int CACHE_LINE_SIZE = 0x0c;
    public static final int LATENCY_TIMER = 0x0d;
    public static final int HEADER_TYPE = 0x0e;
    public static final int BAR0 = 0x10;
    public static final int SUBSYSTEM_VENDOR_ID = 0x2c;
    public static final int SUBSYSTEM_ID = 0x2e;
    public static final int CAPABILITY_POINTER = 0x34;
    public static final int INTERRUPT_LINE = 0x3c;
    public static final int INTERRUPT_PIN = 0x3d;

    private final byte[] data = new byte[BYTES];
    private final byte[] writable = new byte[BYTES];
    private final byte[] clearedByOne = new byte[BYTES];

    /// @param offset with `size` inside the 4096 bytes
    public long read(int offset, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (data[offset + i] & 0xffL) << (8 * i);
        }
        return value;
    }

    /// A guest's write: only what the masks allow.
    public void write(int offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            int at = offset + i;
            int given = (int) (value >>> (8 * i));
            int kept = data[at] & ~writable[at] | given & writable[at];
            data[at] = (byte) (kept & ~(given & clearedByOne[at]));
        }
    }

    /// The device's own write: every bit.
    public void set(int offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            data[offset + i] = (byte) (value >>> (8 * i));
        }
    }

    /// Lets the guest write these bits.
    public void allow(int offset, int size, long mask) {
        for (int i = 0; i < size; i++) {
            writable[offset + i] |= (byte) (mask >>> (8 * i));
        }
    }

    /// Takes write permission away again.
    public void forbid(int offset, int size, long mask) {
        for (int i = 0; i < size; i++) {
            writable[offset + i] &= (byte) ~(mask >>> (8 * i));
        }
    }

    /// Lets the guest clear these bits by writing ones.
    public void allowClear(int offset, int size, long mask) {
        for (int i = 0; i < size; i++) {
            clearedByOne[offset + i] |= (byte) (mask >>> (8 * i));
        }
    }

    byte[] bytes() {
        return data.clone();
    }

    void load(byte[] content) {
        System.arraycopy(content, 0, data, 0, BYTES);
    }
}
