package org.jvirt.images.luks;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;

/// Spreads a key over many stripes, so that losing any of them loses the key: LUKS1 specification, section 2.4.
final class AntiForensic {
    private AntiForensic() {}

    /// @return `stripes` times as many bytes as the key has
    static byte[] split(byte[] key, int stripes, LuksHash hash, SecureRandom random) {
        byte[] material = new byte[key.length * stripes];
        random.nextBytes(material);
        byte[] sum = fold(material, key.length, stripes, hash);
        int last = key.length * (stripes - 1);
        for (int i = 0; i < key.length; i++) {
            material[last + i] = (byte) (sum[i] ^ key[i]);
        }
        return material;
    }

    static byte[] merge(byte[] material, int keyBytes, int stripes, LuksHash hash) {
        byte[] sum = fold(material, keyBytes, stripes, hash);
        int last = keyBytes * (stripes - 1);
        for (int i = 0; i < keyBytes; i++) {
            sum[i] ^= material[last + i];
        }
        return sum;
    }

    /// All stripes but the last, each added and then diffused.
    private static byte[] fold(byte[] material, int keyBytes, int stripes, LuksHash hash) {
        byte[] sum = new byte[keyBytes];
        MessageDigest digest = hash.digest();
        for (int stripe = 0; stripe < stripes - 1; stripe++) {
            for (int i = 0; i < keyBytes; i++) {
                sum[i] ^= material[stripe * keyBytes + i];
            }
            diffuse(sum, digest, hash.digestBytes());
        }
        return sum;
    }

    /// Replaces each digest-sized piece by the hash of its number and itself.
    private static void diffuse(byte[] block, MessageDigest digest, int digestBytes) {
        byte[] number = new byte[4];
        byte[] result = new byte[digestBytes];
        for (int piece = 0, at = 0; at < block.length; piece++, at += digestBytes) {
            int length = Math.min(digestBytes, block.length - at);
            LuksHash.putInt(number, 0, piece);
            digest.update(number);
            digest.update(block, at, length);
            try {
                var _ = digest.digest(result, 0, digestBytes);
            } catch (DigestException e) {
                throw new IllegalStateException(e);
            }
            System.arraycopy(result, 0, block, at, length);
        }
        Arrays.fill(result, (byte) 0);
    }
}
