package org.jvirt.images.luks;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jvirt.core.UserErrorException;

/// A hash function by the name that LUKS headers and qemu-img use.
public enum LuksHash {
    MD5("md5", "MD5", 16, 64),
    SHA1("sha1", "SHA-1", 20, 64),
    SHA224("sha224", "SHA-224", 28, 64),
    SHA256("sha256", "SHA-256", 32, 64),
    SHA384("sha384", "SHA-384", 48, 128),
    SHA512("sha512", "SHA-512", 64, 128);

    private final String hashName;
    private final String digestName;
    private final int digestBytes;
    private final int blockBytes;

    LuksHash(String hashName, String digestName, int digestBytes, int blockBytes) {
        this.hashName = hashName;
        this.digestName = digestName;
        this.digestBytes = digestBytes;
        this.blockBytes = blockBytes;
    }

    /// As in a header: `sha256`.
    public String hashName() {
        return hashName;
    }

    /// How long its results are.
    public int digestBytes() {
        return digestBytes;
    }

    static Optional<LuksHash> named(String name) {
        return Arrays.stream(values())
                .filter(hash -> hash.hashName.equals(name))
                .findFirst();
    }

    /// @param where the image or option that names it
    /// @throws UserErrorException if it is not supported
    static LuksHash require(String name, String where) {
        return named(name)
                .orElseThrow(() -> new UserErrorException(
                        "%s: hash algorithm '%s' is not supported; md5, sha1, sha224, sha256, sha384 and sha512 are"
                                .formatted(where, name)));
    }

    MessageDigest digest() {
        try {
            return MessageDigest.getInstance(digestName);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// PBKDF2 of RFC 8018 with HMAC of this hash.
    byte[] pbkdf2(byte[] passphrase, byte[] salt, int iterations, int lengthBytes) {
        return pbkdf2(passphrase, salt, iterations, lengthBytes, () -> false);
    }

    /// As above, but the result is of no use once `pointless` is true, and then comes soon.
    byte[] pbkdf2(byte[] passphrase, byte[] salt, int iterations, int lengthBytes, BooleanSupplier pointless) {
        byte[] key = new byte[lengthBytes];
        var hmac = new Hmac(passphrase);
        byte[] input = Arrays.copyOf(salt, salt.length + 4);
        byte[] u = new byte[digestBytes];
        for (int block = 1, done = 0; done < lengthBytes; block++, done += digestBytes) {
            putInt(input, salt.length, block);
            hmac.compute(input, u);
            byte[] sum = u.clone();
            for (int i = 1; i < iterations; i++) {
                hmac.compute(u, u);
                for (int k = 0; k < sum.length; k++) {
                    sum[k] ^= u[k];
                }
                if ((i & 0xfff) == 0 && pointless.getAsBoolean()) {
                    return key;
                }
            }
            System.arraycopy(sum, 0, key, done, Math.min(digestBytes, lengthBytes - done));
        }
        return key;
    }

    static void putInt(byte[] into, int at, int value) {
        into[at] = (byte) (value >>> 24);
        into[at + 1] = (byte) (value >>> 16);
        into[at + 2] = (byte) (value >>> 8);
        into[at + 3] = (byte) value;
    }

    /// HMAC whose two key blocks are hashed once: half the work of [javax.crypto.Mac] for short messages.
    private final class Hmac {
        private final MessageDigest inner = digest();
        private final MessageDigest outer = digest();
        private final byte[] innerResult = new byte[digestBytes];

        Hmac(byte[] key) {
            byte[] padded = Arrays.copyOf(key.length > blockBytes ? digest().digest(key) : key, blockBytes);
            for (int i = 0; i < blockBytes; i++) {
                padded[i] ^= 0x36;
            }
            inner.update(padded);
            for (int i = 0; i < blockBytes; i++) {
                padded[i] ^= 0x36 ^ 0x5c;
            }
            outer.update(padded);
        }

        void compute(byte[] message, byte[] into) {
            try {
                var first = (MessageDigest) inner.clone();
                first.update(message);
                var _ = first.digest(innerResult, 0, digestBytes);
                var second = (MessageDigest) outer.clone();
                second.update(innerResult);
                var _ = second.digest(into, 0, digestBytes);
            } catch (CloneNotSupportedException | DigestException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
