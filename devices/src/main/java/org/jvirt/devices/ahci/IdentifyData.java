package org.jvirt.devices.ahci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// The 256 words that IDENTIFY DEVICE and IDENTIFY PACKET DEVICE answer (ACS-2 §7.12.7, §7.13.6).
final class IdentifyData {
    static final int BYTES = 512;
    private static final String FIRMWARE = "0.1";
    private static final int SIGNATURE = 0xa5;

    private final ByteBuffer words = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);

    IdentifyData word(int index, int value) {
        words.putShort(2 * index, (short) value);
        return this;
    }

    IdentifyData doubleWord(int index, long value) {
        words.putInt(2 * index, (int) value);
        return this;
    }

    IdentifyData quadWord(int index, long value) {
        words.putLong(2 * index, value);
        return this;
    }

    /// ASCII with the bytes of each word exchanged, filled up with spaces.
    IdentifyData text(int index, int bytes, String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < bytes; i++) {
            words.put(2 * index + (i ^ 1), i < ascii.length ? ascii[i] : (byte) ' ');
        }
        return this;
    }

    IdentifyData names(String serial, String model) {
        return text(10, 20, serial).text(23, 8, FIRMWARE).text(27, 40, model);
    }

    /// With signature and checksum in the last word.
    byte[] bytes() {
        words.put(510, (byte) SIGNATURE);
        byte[] data = words.array();
        int sum = 0;
        for (int i = 0; i < BYTES - 1; i++) {
            sum += data[i];
        }
        data[BYTES - 1] = (byte) -sum;
        return data;
    }
}
