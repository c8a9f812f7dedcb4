package org.jvirt.devices.virtio;

/// A device-specific configuration structure, little-endian. Thread-safe.
public final class ConfigBytes {
    private final byte[] content;

    public ConfigBytes(int sizeBytes) {
        content = new byte[sizeBytes];
    }

    public synchronized void set(int offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            content[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    /// Zero outside.
    public synchronized long read(int offset, int size) {
        long value = 0;
        for (int i = 0; i < size && offset + i < content.length; i++) {
            value |= (content[offset + i] & 0xffL) << 8 * i;
        }
        return value;
    }
}
