package org.jvirt.devices;

import org.jvirt.core.IoDevice;

/// A device on an 8-bit bus: wider accesses arrive byte by byte, lowest address first, as ISA splits them.
public interface ByteDevice extends IoDevice {
    /// @return 0–255
    int readByte(int offset);

    /// @param value 0–255
    void writeByte(int offset, int value);

    @Override
    default long read(long offset, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (readByte((int) offset + i) & 0xffL) << (8 * i);
        }
        return value;
    }

    @Override
    default void write(long offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            writeByte((int) offset + i, (int) (value >>> (8 * i)) & 0xff);
        }
    }
}
