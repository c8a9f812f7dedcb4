package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.luks.SectorCipher;

/// What turns guest data into what the file holds: nothing, or a cipher whose sectors are numbered by host offset
/// (LUKS) or guest offset (the legacy AES). Thread-safe.
///
/// @param encrypted whether the image is
/// @param cipher    none if the image is not encrypted or no key was given
/// @param secretId  under what name the key was given
record ClusterCipher(
        boolean encrypted,
        boolean byHostOffset,
        @Nullable SectorCipher cipher,
        @Nullable String secretId) {
    static final ClusterCipher NONE = new ClusterCipher(false, false, null, null);

    private SectorCipher unlocked(String name) throws IOException {
        if (cipher == null) {
            throw new IOException(
                    "Cannot read or write content of %s: it is encrypted and was opened without its key; give one with encrypt.key-secret"
                            .formatted(name));
        }
        return cipher;
    }

    /// Decrypts in place; whole sectors.
    void decrypt(String name, long guestOffset, long hostOffset, MemorySegment bytes) throws IOException {
        long offset = byHostOffset ? hostOffset : guestOffset;
        unlocked(name).decrypt(offset / SectorCipher.SECTOR_BYTES, bytes, bytes);
    }

    /// Encrypts in place; whole sectors.
    void encrypt(String name, long guestOffset, long hostOffset, MemorySegment bytes) throws IOException {
        long offset = byHostOffset ? hostOffset : guestOffset;
        unlocked(name).encrypt(offset / SectorCipher.SECTOR_BYTES, bytes, bytes);
    }
}
