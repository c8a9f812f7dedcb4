package org.jvirt.images.vhdx;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// The CRC-32C that guards every structure; its own four bytes, at offset 4, count as zeroes.
final class Checksum {
    private static final int OFFSET = 4;

    private Checksum() {}

    static boolean matches(ByteBuffer structure) {
        return of(structure) == structure.getInt(OFFSET);
    }

    static void put(ByteBuffer structure) {
        structure.putInt(OFFSET, of(structure));
    }

    private static int of(ByteBuffer structure) {
        var crc = new CRC32C();
        crc.update(structure.slice(0, OFFSET));
        crc.update(new byte[4]);
        crc.update(structure.slice(OFFSET + 4, structure.capacity() - OFFSET - 4));
        return (int) crc.getValue();
    }
}
