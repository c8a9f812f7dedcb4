package org.jvirt.machine.firmware;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Growing little-endian bytes. Not thread-safe.
final class ByteWriter {
    private byte[] bytes = new byte[256];
    private int size;

    int size() {
        return size;
    }

    ByteWriter u8(int value) {
        room(1);
        bytes[size++] = (byte) value;
        return this;
    }

    ByteWriter u16(int value) {
        return number(value, 2);
    }

    ByteWriter u32(long value) {
        return number(value, 4);
    }

    ByteWriter u64(long value) {
        return number(value, 8);
    }

    ByteWriter number(long value, int sizeBytes) {
        for (int i = 0; i < sizeBytes; i++) {
            u8((int) (value >>> 8 * i));
        }
        return this;
    }

    /// ASCII, padded with `padding` or cut to `length`.
    ByteWriter text(String text, int length, char padding) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < length; i++) {
            u8(i < ascii.length ? ascii[i] : padding);
        }
        return this;
    }

    ByteWriter add(byte[] more) {
        room(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
        return this;
    }

    ByteWriter zeroes(int count) {
        room(count);
        size += count;
        return this;
    }

    ByteWriter align(int alignment) {
        return zeroes(Math.floorMod(-size, alignment));
    }

    ByteWriter put32(int offset, long value) {
        for (int i = 0; i < 4; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
        return this;
    }

    byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }

    private void room(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }
}
