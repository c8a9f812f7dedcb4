package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

/// The SHA-1 and SHA-256 functions as [LaneFunctions.Lane]. The most significant element of a lane is the first of
/// its kind (A before B, an earlier message word before a later one in SHA-1; the other way round in SHA-256's
/// message).
///
/// Source: FIPS 180-4; Intel SDM volume 2, SHA1RNDS4 and its relatives.
final class Sha {
    private static final int[] SHA1_CONSTANTS = {0x5A82_7999, 0x6ED9_EBA1, 0x8F1B_BCDC, 0xCA62_C1D6};

    private Sha() {}

    private static int high(long word) {
        return (int) (word >>> 32);
    }

    static long sha1msg1(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? a0 ^ b1 : a1 ^ a0;
    }

    static long sha1msg2(int half, long a0, long a1, long b0, long b1, int imm) {
        int w16 = Integer.rotateLeft(high(a1) ^ (int) b1, 1);
        if (half == 1) {
            return join(Integer.rotateLeft((int) a1 ^ high(b0), 1), w16);
        }
        return join(Integer.rotateLeft((int) a0 ^ w16, 1), Integer.rotateLeft(high(a0) ^ (int) b0, 1));
    }

    static long sha1nexte(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0 ? b0 : join((int) b1, high(b1) + Integer.rotateLeft(high(a1), 30));
    }

    static long sha1rnds4(int half, long a0, long a1, long b0, long b1, int imm) {
        int a = high(a1);
        int b = (int) a1;
        int c = high(a0);
        int d = (int) a0;
        int e = 0;
        int function = imm & 3;
        for (int i = 0; i < 4; i++) {
            long words = i < 2 ? b1 : b0;
            int w = (i & 1) == 0 ? high(words) : (int) words;
            int f = switch (function) {
                case 0 -> b & c ^ ~b & d;
                case 2 -> b & c ^ b & d ^ c & d;
                default -> b ^ c ^ d;
            };
            int next = f + Integer.rotateLeft(a, 5) + w + e + SHA1_CONSTANTS[function];
            e = d;
            d = c;
            c = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        return half == 0 ? join(d, c) : join(b, a);
    }

    static long sha256msg1(int half, long a0, long a1, long b0, long b1, int imm) {
        return half == 0
                ? join((int) a0 + sigma0(high(a0)), high(a0) + sigma0((int) a1))
                : join((int) a1 + sigma0(high(a1)), high(a1) + sigma0((int) b0));
    }

    static long sha256msg2(int half, long a0, long a1, long b0, long b1, int imm) {
        int w16 = (int) a0 + sigma1((int) b1);
        int w17 = high(a0) + sigma1(high(b1));
        return half == 0 ? join(w16, w17) : join((int) a1 + sigma1(w16), high(a1) + sigma1(w17));
    }

    /// `SHA256RNDS2`: C, D, G, H in the first source; A, B, E, F in the last.
    ///
    /// @param wk the two message words with their constants added
    static long sha256rnds2(int half, long a0, long a1, long b0, long b1, long wk) {
        int a = high(b1);
        int b = (int) b1;
        int c = high(a1);
        int d = (int) a1;
        int e = high(b0);
        int f = (int) b0;
        int g = high(a0);
        int h = (int) a0;
        for (int i = 0; i < 2; i++) {
            int t = h + (e & f ^ ~e & g) + sum1(e) + (i == 0 ? (int) wk : high(wk));
            int next = t + (a & b ^ a & c ^ b & c) + sum0(a);
            h = g;
            g = f;
            f = e;
            e = d + t;
            d = c;
            c = b;
            b = a;
            a = next;
        }
        return half == 0 ? join(f, e) : join(b, a);
    }

    private static int sigma0(int x) {
        return Integer.rotateRight(x, 7) ^ Integer.rotateRight(x, 18) ^ x >>> 3;
    }

    private static int sigma1(int x) {
        return Integer.rotateRight(x, 17) ^ Integer.rotateRight(x, 19) ^ x >>> 10;
    }

    private static int sum0(int x) {
        return Integer.rotateRight(x, 2) ^ Integer.rotateRight(x, 13) ^ Integer.rotateRight(x, 22);
    }

    private static int sum1(int x) {
        return Integer.rotateRight(x, 6) ^ Integer.rotateRight(x, 11) ^ Integer.rotateRight(x, 25);
    }
}
