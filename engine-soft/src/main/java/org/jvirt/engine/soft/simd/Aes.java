package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

/// The AES round functions as [LaneFunctions.Lane]: the state is the first source, the round key the last.
///
/// Byte `r + 4 * c` of a lane is row `r` of column `c`, so each 32-bit element is a column. A round looks up what
/// each byte contributes to its column after substitution and mixing.
///
/// Source: FIPS 197; Intel SDM volume 2, AESENC and its relatives.
final class Aes {
    private static final int[] SUBSTITUTION = new int[256];
    private static final int[] INVERSE_SUBSTITUTION = new int[256];
    /// What a substituted byte in row 0 contributes to its mixed column.
    private static final int[] ROUND = new int[256];
    /// What a byte in row 0 contributes to its column when the mixing is undone.
    private static final int[] UNMIX = new int[256];

    static {
        for (int x = 0; x < 256; x++) {
            int inverse = inverse(x);
            int s = 0x63;
            for (int n = 0; n < 5; n++) {
                s ^= (inverse << n | inverse >>> 8 - n) & 0xFF;
            }
            SUBSTITUTION[x] = s;
            INVERSE_SUBSTITUTION[s] = x;
            ROUND[x] = multiply(s, 2) | s << 8 | s << 16 | multiply(s, 3) << 24;
            UNMIX[x] = multiply(x, 14) | multiply(x, 9) << 8 | multiply(x, 13) << 16 | multiply(x, 11) << 24;
        }
    }

    private Aes() {}

    /// The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
    private static int multiply(int a, int b) {
        int product = 0;
        for (int bit = 0; bit < 8; bit++) {
            product ^= (b >>> bit & 1) != 0 ? a : 0;
            a = a << 1 ^ ((a & 0x80) != 0 ? 0x11B : 0);
        }
        return product & 0xFF;
    }

    private static int inverse(int x) {
        // x^254
        int power = 1;
        for (int i = 0; i < 254; i++) {
            power = multiply(power, x);
        }
        return power;
    }

    private static int column(long w0, long w1, int c) {
        long word = (c & 2) == 0 ? w0 : w1;
        return (int) (word >>> 32 * (c & 1));
    }

    static long encrypt(int half, long a0, long a1, long b0, long b1, int imm) {
        int c = 2 * half;
        return join(encryptColumn(a0, a1, c), encryptColumn(a0, a1, c + 1)) ^ (half == 0 ? b0 : b1);
    }

    private static int encryptColumn(long a0, long a1, int c) {
        return ROUND[column(a0, a1, c) & 0xFF]
                ^ Integer.rotateLeft(ROUND[column(a0, a1, c + 1) >>> 8 & 0xFF], 8)
                ^ Integer.rotateLeft(ROUND[column(a0, a1, c + 2) >>> 16 & 0xFF], 16)
                ^ Integer.rotateLeft(ROUND[column(a0, a1, c + 3) >>> 24], 24);
    }

    static long encryptLast(int half, long a0, long a1, long b0, long b1, int imm) {
        int c = 2 * half;
        return join(substituted(SUBSTITUTION, a0, a1, c, 1), substituted(SUBSTITUTION, a0, a1, c + 1, 1))
                ^ (half == 0 ? b0 : b1);
    }

    static long decrypt(int half, long a0, long a1, long b0, long b1, int imm) {
        return inverseMixColumns(0, 0, 0, decryptedRows(half, a0, a1), 0, 0) ^ (half == 0 ? b0 : b1);
    }

    static long decryptLast(int half, long a0, long a1, long b0, long b1, int imm) {
        return decryptedRows(half, a0, a1) ^ (half == 0 ? b0 : b1);
    }

    private static long decryptedRows(int half, long a0, long a1) {
        int c = 2 * half;
        return join(
                substituted(INVERSE_SUBSTITUTION, a0, a1, c, 3), substituted(INVERSE_SUBSTITUTION, a0, a1, c + 1, 3));
    }

    /// Column `c` after shifting and substitution: each further row is taken `step` columns on.
    private static int substituted(int[] table, long w0, long w1, int c, int step) {
        return table[column(w0, w1, c) & 0xFF]
                | table[column(w0, w1, c + step) >>> 8 & 0xFF] << 8
                | table[column(w0, w1, c + 2 * step) >>> 16 & 0xFF] << 16
                | table[column(w0, w1, c + 3 * step) >>> 24] << 24;
    }

    static long inverseMixColumns(int half, long a0, long a1, long b0, long b1, int imm) {
        long b = half == 0 ? b0 : b1;
        return join(unmixed((int) b), unmixed((int) (b >>> 32)));
    }

    private static int unmixed(int column) {
        return UNMIX[column & 0xFF]
                ^ Integer.rotateLeft(UNMIX[column >>> 8 & 0xFF], 8)
                ^ Integer.rotateLeft(UNMIX[column >>> 16 & 0xFF], 16)
                ^ Integer.rotateLeft(UNMIX[column >>> 24], 24);
    }

    static long keyGenerationAssist(int half, long a0, long a1, long b0, long b1, int imm) {
        int x = (int) ((half == 0 ? b0 : b1) >>> 32);
        int s = SUBSTITUTION[x & 0xFF]
                | SUBSTITUTION[x >>> 8 & 0xFF] << 8
                | SUBSTITUTION[x >>> 16 & 0xFF] << 16
                | SUBSTITUTION[x >>> 24] << 24;
        return join(s, Integer.rotateRight(s, 8) ^ imm);
    }
}
