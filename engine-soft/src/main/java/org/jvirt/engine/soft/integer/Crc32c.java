package org.jvirt.engine.soft.integer;

/// The checksum step of the `CRC32` instruction: polynomial 0x11EDC6F41, bits reflected, no inversion.
final class Crc32c {
    private static final int REFLECTED_POLYNOMIAL = 0x82F6_3B78;
    private static final int[] TABLE = new int[256];

    static {
        for (int i = 0; i < 256; i++) {
            int crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = crc >>> 1 ^ ((crc & 1) != 0 ? REFLECTED_POLYNOMIAL : 0);
            }
            TABLE[i] = crc;
        }
    }

    private Crc32c() {}

    /// Takes the low `bytes` bytes of `data` into the checksum, lowest first.
    static int update(int crc, long data, int bytes) {
        int sum = crc;
        long rest = data;
        for (int i = 0; i < bytes; i++) {
            sum = sum >>> 8 ^ TABLE[(sum ^ (int) rest) & 0xFF];
            rest >>>= 8;
        }
        return sum;
    }
}
