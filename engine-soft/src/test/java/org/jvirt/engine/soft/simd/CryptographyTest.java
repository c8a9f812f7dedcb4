package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.SplittableRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/// Whole blocks computed with the instructions as software would, against the JDK's own ciphers and digests.
class CryptographyTest {
    private final SplittableRandom random = new SplittableRandom(6);

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static long[] words(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return new long[] {buffer.getLong(0), buffer.getLong(8)};
    }

    private static byte[] bytesOf(long[] words) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(words[0])
                .putLong(words[1])
                .array();
    }

    private static long[] xor(long[] a, long[] b) {
        return new long[] {a[0] ^ b[0], a[1] ^ b[1]};
    }

    /// The eleven round keys of AES-128, made with `AESKEYGENASSIST`.
    private static long[][] schedule(byte[] key) {
        long[][] keys = new long[11][];
        keys[0] = words(key);
        int constant = 1;
        for (int round = 1; round <= 10; round++) {
            long[] last = keys[round - 1];
            long[] assist = Lanes.apply(Aes::keyGenerationAssist, last, last, constant);
            int t = (int) (assist[1] >>> 32);
            long[] columns = Lanes.split(32, false, last);
            for (int i = 0; i < 4; i++) {
                t ^= (int) columns[i];
                columns[i] = t;
            }
            keys[round] = Lanes.join(32, columns);
            constant = constant << 1 ^ (constant >= 0x80 ? 0x11B : 0);
        }
        return keys;
    }

    @Test
    void tenRoundsAreAes128() throws GeneralSecurityException {
        for (int n = 0; n < 200; n++) {
            byte[] key = bytes(16);
            byte[] text = bytes(16);
            long[][] keys = schedule(key);
            long[] state = xor(words(text), keys[0]);
            for (int round = 1; round < 10; round++) {
                state = Lanes.apply(Aes::encrypt, state, keys[round], 0);
            }
            state = Lanes.apply(Aes::encryptLast, state, keys[10], 0);
            Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
            assertThat(bytesOf(state)).isEqualTo(cipher.doFinal(text));
        }
    }

    @Test
    void theEquivalentInverseCipherDecrypts() throws GeneralSecurityException {
        for (int n = 0; n < 200; n++) {
            byte[] key = bytes(16);
            byte[] text = bytes(16);
            long[][] keys = schedule(key);
            long[] state = xor(words(text), keys[10]);
            for (int round = 9; round > 0; round--) {
                long[] mixed = Lanes.apply(Aes::inverseMixColumns, keys[round], keys[round], 0);
                state = Lanes.apply(Aes::decrypt, state, mixed, 0);
            }
            state = Lanes.apply(Aes::decryptLast, state, keys[0], 0);
            Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
            cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"));
            assertThat(bytesOf(state)).isEqualTo(cipher.doFinal(text));
        }
    }

    /// A message of one block: 55 bytes, padding, length.
    private static ByteBuffer padded(byte[] message) {
        return ByteBuffer.allocate(64)
                .put(message)
                .put((byte) 0x80)
                .putLong(56, message.length * 8L)
                .position(0);
    }

    /// A lane whose most significant element is `e3`.
    private static long[] lane(int e3, int e2, int e1, int e0) {
        return Lanes.join(32, e0, e1, e2, e3);
    }

    @Test
    void eightyRoundsAreSha1() throws GeneralSecurityException {
        for (int n = 0; n < 200; n++) {
            byte[] message = bytes(55);
            ByteBuffer block = padded(message);
            long[][] w = new long[20][];
            for (int i = 0; i < 4; i++) {
                w[i] = lane(block.getInt(), block.getInt(), block.getInt(), block.getInt());
            }
            for (int i = 4; i < 20; i++) {
                long[] t = xor(Lanes.apply(Sha::sha1msg1, w[i - 4], w[i - 3], 0), w[i - 2]);
                w[i] = Lanes.apply(Sha::sha1msg2, t, w[i - 1], 0);
            }
            long[] start = lane(0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476);
            long[] state = start;
            long[] before = start;
            for (int i = 0; i < 20; i++) {
                long[] words = i == 0
                        ? Lanes.join(32, add(Lanes.split(32, false, w[0]), new long[] {0, 0, 0, 0xC3D2_E1F0L}))
                        : Lanes.apply(Sha::sha1nexte, before, w[i], 0);
                before = state;
                state = Lanes.apply(Sha::sha1rnds4, state, words, i / 5);
            }
            long[] abcd = add(Lanes.split(32, false, state), Lanes.split(32, false, start));
            int e = (int) (Lanes.apply(Sha::sha1nexte, before, lane(0xC3D2_E1F0, 0, 0, 0), 0)[1] >>> 32);
            ByteBuffer digest = ByteBuffer.allocate(20);
            for (int i = 3; i >= 0; i--) {
                digest.putInt((int) abcd[i]);
            }
            digest.putInt(e);
            assertThat(digest.array())
                    .isEqualTo(MessageDigest.getInstance("SHA-1").digest(message));
        }
    }

    private static long[] add(long[] a, long[] b) {
        long[] sum = new long[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }

    /// The first 32 bits of the fractional part of the roots of the primes.
    private static int[] fractions(int count, double power) {
        int[] values = new int[count];
        int found = 0;
        for (int candidate = 2; found < count; candidate++) {
            boolean prime = true;
            for (int d = 2; d * d <= candidate; d++) {
                prime &= candidate % d != 0;
            }
            if (prime) {
                double root = Math.pow(candidate, power);
                values[found++] = (int) (long) ((root - Math.floor(root)) * 0x1p32);
            }
        }
        return values;
    }

    @Test
    void sixtyFourRoundsAreSha256() throws GeneralSecurityException {
        int[] k = fractions(64, 1.0 / 3);
        int[] h = fractions(8, 0.5);
        for (int n = 0; n < 200; n++) {
            byte[] message = bytes(55);
            ByteBuffer block = padded(message);
            long[][] w = new long[16][];
            for (int i = 0; i < 4; i++) {
                int w0 = block.getInt();
                int w1 = block.getInt();
                int w2 = block.getInt();
                w[i] = lane(block.getInt(), w2, w1, w0);
            }
            for (int i = 4; i < 16; i++) {
                long[] t = Lanes.split(32, false, Lanes.apply(Sha::sha256msg1, w[i - 4], w[i - 3], 0));
                long[] seven = Lanes.split(32, false, Lanes.apply(LaneFunctions::palignr, w[i - 1], w[i - 2], 4));
                w[i] = Lanes.apply(Sha::sha256msg2, Lanes.join(32, add(t, seven)), w[i - 1], 0);
            }
            long[] abef = lane(h[0], h[1], h[4], h[5]);
            long[] cdgh = lane(h[2], h[3], h[6], h[7]);
            for (int i = 0; i < 64; i += 2) {
                long[] words = Lanes.split(32, false, w[i / 4]);
                long wk = PackedIntegers.join((int) words[i % 4] + k[i], (int) words[i % 4 + 1] + k[i + 1]);
                long[] next = {
                    Sha.sha256rnds2(0, cdgh[0], cdgh[1], abef[0], abef[1], wk),
                    Sha.sha256rnds2(1, cdgh[0], cdgh[1], abef[0], abef[1], wk)
                };
                cdgh = abef;
                abef = next;
            }
            long[] x = Lanes.split(32, false, abef);
            long[] y = Lanes.split(32, false, cdgh);
            long[] state = {x[3], x[2], y[3], y[2], x[1], x[0], y[1], y[0]};
            ByteBuffer digest = ByteBuffer.allocate(32);
            for (int i = 0; i < 8; i++) {
                digest.putInt((int) state[i] + h[i]);
            }
            assertThat(digest.array())
                    .isEqualTo(MessageDigest.getInstance("SHA-256").digest(message));
        }
    }
}
