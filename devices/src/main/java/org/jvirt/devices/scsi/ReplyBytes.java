package org.jvirt.devices.scsi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Parameter data under construction, big-endian. Not thread-safe.
final class ReplyBytes {
    private byte[] bytes = new byte[64];
    private int length;

    ReplyBytes u8(int value) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = (byte) value;
        return this;
    }

    ReplyBytes u16(int value) {
        return u8(value >> 8).u8(value);
    }

    ReplyBytes u32(long value) {
        return u16((int) (value >>> 16)).u16((int) value);
    }

    ReplyBytes u64(long value) {
        return u32(value >>> 32).u32(value);
    }

    ReplyBytes zeroes(int count) {
        for (int i = 0; i < count; i++) {
            u8(0);
        }
        return this;
    }

    /// ASCII, filled up with spaces.
    ReplyBytes text(String text, int width) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < width; i++) {
            u8(i < ascii.length ? ascii[i] : ' ');
        }
        return this;
    }

    ReplyBytes add(ReplyBytes other) {
        for (int i = 0; i < other.length; i++) {
            u8(other.bytes[i]);
        }
        return this;
    }

    void setU16(int at, int value) {
        bytes[at] = (byte) (value >> 8);
        bytes[at + 1] = (byte) value;
    }

    void setU8(int at, int value) {
        bytes[at] = (byte) value;
    }

    int length() {
        return length;
    }

    byte[] bytes() {
        return bytes;
    }
}
