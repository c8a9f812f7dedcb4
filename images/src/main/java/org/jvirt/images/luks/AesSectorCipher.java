package org.jvirt.images.luks;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// AES over sectors, in batches large enough for the JVM's vector code.
///
/// XTS is IEEE 1619 by hand: all tweaks of a batch are encrypted at once, spread over a mask by doubling in
/// GF(2^128), and one ECB pass runs between two exclusive-ors with it. CBC decrypts a batch in one pass, too, as if
/// it were one
/// long message, and then mends the first block of each sector; CBC encryption is serial by nature.
final class AesSectorCipher implements SectorCipher {
    private static final int BLOCK_BYTES = 16;
    private static final int BATCH_SECTORS = 128;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] ZERO_IV = new byte[BLOCK_BYTES];

    private final CipherSpec spec;
    private final byte[] key;
    private final byte[] ivKey;
    /// Idle workers; as many come into being as calls have run side by side.
    private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();

    AesSectorCipher(CipherSpec spec, byte[] key) {
        if (key.length != spec.keyBytes()) {
            throw new IllegalArgumentException(
                    "%s needs a key of %d bytes, not %d".formatted(spec, spec.keyBytes(), key.length));
        }
        this.spec = spec;
        this.key = key.clone();
        ivKey = spec.ivHash().map(hash -> hash.digest().digest(key)).orElse(ZERO_IV);
    }

    @Override
    public void decrypt(long firstSector, MemorySegment from, MemorySegment into) {
        process(firstSector, from, into, false);
    }

    @Override
    public void encrypt(long firstSector, MemorySegment from, MemorySegment into) {
        process(firstSector, from, into, true);
    }

    private void process(long firstSector, MemorySegment from, MemorySegment into, boolean encrypt) {
        long length = from.byteSize();
        if (length % SECTOR_BYTES != 0 || into.byteSize() != length) {
            throw new IllegalArgumentException(
                    "Not whole sectors: %d bytes into %d".formatted(length, into.byteSize()));
        }
        Worker pooled = idle.poll();
        Worker worker = pooled == null ? new Worker() : pooled;
        try {
            for (long done = 0; done < length; ) {
                int bytes = (int) Math.min(length - done, BATCH_SECTORS * SECTOR_BYTES);
                MemorySegment.copy(from, ValueLayout.JAVA_BYTE, done, worker.input, 0, bytes);
                worker.run(firstSector + done / SECTOR_BYTES, bytes, encrypt);
                MemorySegment.copy(worker.output, 0, into, ValueLayout.JAVA_BYTE, done, bytes);
                done += bytes;
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        idle.add(worker);
    }

    /// Ciphers and buffers for one call at a time.
    private final class Worker {
        final byte[] input = new byte[BATCH_SECTORS * SECTOR_BYTES];
        final byte[] output = new byte[BATCH_SECTORS * SECTOR_BYTES];
        private final byte[] mask;
        private final byte[] numbers = new byte[BATCH_SECTORS * BLOCK_BYTES];
        private final byte[] vectors = new byte[BATCH_SECTORS * BLOCK_BYTES];
        private final Cipher encryptor;
        private final Cipher decryptor;
        private final Cipher tweaker;
        private final Cipher essiv;
        /// The last block of ciphertext that went through [#encryptor] or [#decryptor] in CBC.
        private final byte[] lastEncrypted = new byte[BLOCK_BYTES];

        private final byte[] lastDecrypted = new byte[BLOCK_BYTES];

        Worker() {
            boolean xts = spec.mode() == CipherSpec.Mode.XTS;
            mask = new byte[xts ? BATCH_SECTORS * SECTOR_BYTES : 0];
            byte[] dataKey = xts ? Arrays.copyOf(key, key.length / 2) : key;
            byte[] tweakKey = xts ? Arrays.copyOfRange(key, key.length / 2, key.length) : ZERO_IV;
            boolean chained = spec.mode() == CipherSpec.Mode.CBC;
            encryptor = cipher(chained, Cipher.ENCRYPT_MODE, dataKey);
            decryptor = cipher(chained, Cipher.DECRYPT_MODE, dataKey);
            tweaker = cipher(false, Cipher.ENCRYPT_MODE, tweakKey);
            essiv = cipher(false, Cipher.ENCRYPT_MODE, ivKey);
        }

        private static Cipher cipher(boolean chained, int direction, byte[] key) {
            try {
                Cipher cipher = Cipher.getInstance(chained ? "AES/CBC/NoPadding" : "AES/ECB/NoPadding");
                var secret = new SecretKeySpec(key, "AES");
                if (chained) {
                    cipher.init(direction, secret, new IvParameterSpec(ZERO_IV));
                } else {
                    cipher.init(direction, secret);
                }
                return cipher;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        void run(long firstSector, int bytes, boolean encrypt) throws GeneralSecurityException {
            int sectors = bytes / SECTOR_BYTES;
            switch (spec.mode()) {
                case XTS -> {
                    makeVectors(firstSector, sectors);
                    runXts(sectors, encrypt ? encryptor : decryptor);
                }
                case CBC -> {
                    makeVectors(firstSector, sectors);
                    if (encrypt) {
                        encryptCbc(sectors);
                    } else {
                        decryptCbc(sectors);
                    }
                }
                case ECB -> pass(encrypt ? encryptor : decryptor, input, 0, bytes, output);
            }
        }

        private void makeVectors(long firstSector, int sectors) throws GeneralSecurityException {
            for (int i = 0; i < sectors; i++) {
                long number = firstSector + i;
                LONG.set(numbers, i * BLOCK_BYTES, spec.iv() == CipherSpec.Iv.PLAIN ? number & 0xffff_ffffL : number);
            }
            if (spec.iv() == CipherSpec.Iv.ESSIV) {
                pass(essiv, numbers, 0, sectors * BLOCK_BYTES, vectors);
            } else {
                System.arraycopy(numbers, 0, vectors, 0, sectors * BLOCK_BYTES);
            }
        }

        private void runXts(int sectors, Cipher cipher) throws GeneralSecurityException {
            pass(tweaker, vectors, 0, sectors * BLOCK_BYTES, numbers);
            for (int sector = 0; sector < sectors; sector++) {
                long low = (long) LONG.get(numbers, sector * BLOCK_BYTES);
                long high = (long) LONG.get(numbers, sector * BLOCK_BYTES + 8);
                int end = (sector + 1) * SECTOR_BYTES;
                for (int at = sector * SECTOR_BYTES; at < end; at += BLOCK_BYTES) {
                    LONG.set(mask, at, low);
                    LONG.set(mask, at + 8, high);
                    long carry = high >> 63;
                    high = high << 1 | low >>> 63;
                    low = low << 1 ^ carry & 0x87;
                }
            }
            int bytes = sectors * SECTOR_BYTES;
            exclusiveOr(input, mask, bytes);
            pass(cipher, input, 0, bytes, output);
            exclusiveOr(output, mask, bytes);
            // The halves that no sector number fills must be zero again.
            Arrays.fill(numbers, 0, sectors * BLOCK_BYTES, (byte) 0);
        }

        private void encryptCbc(int sectors) throws GeneralSecurityException {
            for (int i = 0; i < sectors; i++) {
                int at = i * SECTOR_BYTES;
                // The cipher will add the last block of ciphertext; what it should add is the vector.
                mend(input, at, lastEncrypted, 0, i);
                pass(encryptor, input, at, SECTOR_BYTES, output);
                System.arraycopy(output, at + SECTOR_BYTES - BLOCK_BYTES, lastEncrypted, 0, BLOCK_BYTES);
            }
        }

        private void decryptCbc(int sectors) throws GeneralSecurityException {
            int bytes = sectors * SECTOR_BYTES;
            pass(decryptor, input, 0, bytes, output);
            mend(output, 0, lastDecrypted, 0, 0);
            for (int i = 1; i < sectors; i++) {
                mend(output, i * SECTOR_BYTES, input, i * SECTOR_BYTES - BLOCK_BYTES, i);
            }
            System.arraycopy(input, bytes - BLOCK_BYTES, lastDecrypted, 0, BLOCK_BYTES);
        }

        /// Adds the block that the cipher's chain adds wrongly, and the sector's vector.
        private void mend(byte[] block, int at, byte[] wrong, int wrongAt, int sector) {
            for (int i = 0; i < BLOCK_BYTES; i += 8) {
                long mended = (long) LONG.get(block, at + i)
                        ^ (long) LONG.get(wrong, wrongAt + i)
                        ^ (long) LONG.get(vectors, sector * BLOCK_BYTES + i);
                LONG.set(block, at + i, mended);
            }
        }

        private static void pass(Cipher cipher, byte[] from, int at, int bytes, byte[] into)
                throws GeneralSecurityException {
            if (cipher.update(from, at, bytes, into, at) != bytes) {
                throw new IllegalStateException("AES kept bytes back");
            }
        }

        private static void exclusiveOr(byte[] into, byte[] with, int bytes) {
            for (int i = 0; i < bytes; i += 8) {
                LONG.set(into, i, (long) LONG.get(into, i) ^ (long) LONG.get(with, i));
            }
        }
    }
}
