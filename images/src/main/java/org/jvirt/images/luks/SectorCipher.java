package org.jvirt.images.luks;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/// Encrypts and decrypts sectors of 512 bytes, each by its number. Thread-safe; several calls run side by side.
public interface SectorCipher {
    int SECTOR_BYTES = 512;

    /// @param from whole sectors
    /// @param into as long as `from`; may be the same memory
    void decrypt(long firstSector, MemorySegment from, MemorySegment into);

    /// As [#decrypt], the other way.
    void encrypt(long firstSector, MemorySegment from, MemorySegment into);

    /// @param key [CipherSpec#keyBytes] long
    static SectorCipher of(CipherSpec spec, byte[] key) {
        return new AesSectorCipher(spec, key);
    }

    /// The encryption that the first qcow and qcow2 images had: AES-128-CBC with the sector's number as initial
    /// vector, and the passphrase's first 16 bytes as key.
    static SectorCipher ofLegacyQcow(byte[] passphrase) {
        var spec = new CipherSpec(16, CipherSpec.Mode.CBC, CipherSpec.Iv.PLAIN64, Optional.empty());
        return new AesSectorCipher(spec, Arrays.copyOf(passphrase, 16));
    }
}
