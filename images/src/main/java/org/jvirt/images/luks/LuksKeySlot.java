package org.jvirt.images.luks;

/// One of the places in a header that hold the master key under a passphrase.
///
/// @param iterations       of PBKDF2; without meaning in a slot that is not active
/// @param salt             32 bytes
/// @param materialSector   where the key material begins, counted from the header
/// @param stripes          into how many the key is split
public record LuksKeySlot(boolean active, int iterations, byte[] salt, long materialSector, int stripes) {
    static final int SALT_BYTES = 32;

    /// Where the key material begins, counted from the header.
    public long materialOffset() {
        return materialSector * SectorCipher.SECTOR_BYTES;
    }

    static long materialBytes(int keyBytes) {
        long bytes = (long) keyBytes * LuksHeader.STRIPES;
        return (bytes + SectorCipher.SECTOR_BYTES - 1) / SectorCipher.SECTOR_BYTES * SectorCipher.SECTOR_BYTES;
    }
}
