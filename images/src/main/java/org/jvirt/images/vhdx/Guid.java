package org.jvirt.images.vhdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/// A GUID as it lies in the file: its first three fields little-endian, MS-DTYP section 2.3.4.2.
record Guid(long low, long high) {
    static final Guid NONE = new Guid(0, 0);

    static Guid of(String text) {
        return of(UUID.fromString(text));
    }

    static Guid random() {
        return of(UUID.randomUUID());
    }

    private static Guid of(UUID uuid) {
        long most = uuid.getMostSignificantBits();
        ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0, (int) (most >>> 32)).putShort(4, (short) (most >>> 16)).putShort(6, (short) most);
        bytes.putLong(8, Long.reverseBytes(uuid.getLeastSignificantBits()));
        return read(bytes, 0);
    }

    static Guid read(ByteBuffer in, int at) {
        return new Guid(in.getLong(at), in.getLong(at + 8));
    }

    void write(ByteBuffer out, int at) {
        out.putLong(at, low).putLong(at + 8, high);
    }
}
