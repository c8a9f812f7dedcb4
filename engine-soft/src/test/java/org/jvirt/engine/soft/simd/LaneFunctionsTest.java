package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LaneFunctionsTest {
    private final SplittableRandom random = new SplittableRandom(5);

    /// An element of the result from the elements of both operands.
    @FunctionalInterface
    private interface Element {
        long at(int i, long[] a, long[] b, int imm);
    }

    private void check(LaneFunctions.Lane function, int bits, boolean signed, Element element) {
        for (int round = 0; round < 5_000; round++) {
            long[] a = {Lanes.value(random), Lanes.value(random)};
            long[] b = {Lanes.value(random), Lanes.value(random)};
            int imm = random.nextInt(256);
            long[] as = Lanes.split(bits, signed, a);
            long[] bs = Lanes.split(bits, signed, b);
            long[] expected = new long[as.length];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = element.at(i, as, bs, imm);
            }
            assertThat(Lanes.apply(function, a, b, imm)).isEqualTo(Lanes.join(bits, expected));
        }
    }

    @Test
    void shufflesByImmediateTakeTheSelectedElements() {
        check(LaneFunctions::pshufd, 32, false, (i, a, b, imm) -> b[imm >> 2 * i & 3]);
        check(LaneFunctions::shufps, 32, false, (i, a, b, imm) -> (i < 2 ? a : b)[imm >> 2 * i & 3]);
        check(LaneFunctions::shufpd, 64, false, (i, a, b, imm) -> (i < 1 ? a : b)[imm >> i & 1]);
        check(LaneFunctions::pshuflw, 16, false, (i, a, b, imm) -> i < 4 ? b[imm >> 2 * i & 3] : b[i]);
        check(LaneFunctions::pshufhw, 16, false, (i, a, b, imm) -> i < 4 ? b[i] : b[4 + (imm >> 2 * (i - 4) & 3)]);
        check(LaneFunctions::permilpdImmediate, 64, false, (i, a, b, imm) -> b[imm >> i & 1]);
    }

    @Test
    void shufflesByRegisterTakeTheSelectedElements() {
        check(LaneFunctions::pshufb, 8, false, (i, a, b, imm) -> (b[i] & 0x80) != 0 ? 0 : a[(int) b[i] & 15]);
        check(LaneFunctions::permilps, 32, false, (i, a, b, imm) -> a[(int) b[i] & 3]);
        check(LaneFunctions::permilpd, 64, false, (i, a, b, imm) -> a[(int) (b[i] >> 1) & 1]);
    }

    @Test
    void blendsTakeFromTheSecondSourceWhereTheBitIsSet() {
        check(LaneFunctions::pblendw, 16, false, (i, a, b, imm) -> (imm >> i & 1) == 0 ? a[i] : b[i]);
        check(LaneFunctions::blendps, 32, false, (i, a, b, imm) -> (imm >> i & 1) == 0 ? a[i] : b[i]);
        check(LaneFunctions::blendpd, 64, false, (i, a, b, imm) -> (imm >> i & 1) == 0 ? a[i] : b[i]);
    }

    @Test
    void byteShiftsAndAlignmentMoveWholeBytes() {
        check(LaneFunctions::pslldq, 8, false, (i, a, b, imm) -> i < imm ? 0 : b[i - imm]);
        check(LaneFunctions::psrldq, 8, false, (i, a, b, imm) -> i + imm > 15 ? 0 : b[i + imm]);
        check(LaneFunctions::palignr, 8, false, (i, a, b, imm) -> {
            int at = i + imm;
            return at < 16 ? b[at] : at < 32 ? a[at - 16] : 0;
        });
        for (int count = 0; count <= 17; count++) {
            int n = count;
            check(
                    (half, a0, a1, b0, b1, imm) -> LaneFunctions.pslldq(half, a0, a1, b0, b1, n),
                    8,
                    false,
                    (i, a, b, imm) -> i < n ? 0 : b[i - n]);
            check(
                    (half, a0, a1, b0, b1, imm) -> LaneFunctions.palignr(half, a0, a1, b0, b1, n),
                    8,
                    false,
                    (i, a, b, imm) -> i + n < 16 ? b[i + n] : i + n < 32 ? a[i + n - 16] : 0);
        }
    }

    @Test
    void duplicatesAndHalvesComeFromWhereTheySay() {
        check(LaneFunctions::first, 64, false, (i, a, b, imm) -> i == 0 ? a[0] : b[0]);
        check(LaneFunctions::second, 64, false, (i, a, b, imm) -> i == 0 ? a[1] : b[1]);
        check(LaneFunctions::movlps, 64, false, (i, a, b, imm) -> i == 0 ? b[0] : a[1]);
        check(LaneFunctions::movhlps, 64, false, (i, a, b, imm) -> i == 0 ? b[1] : a[1]);
        check(LaneFunctions::movddup, 64, false, (i, a, b, imm) -> b[0]);
        check(LaneFunctions::movsldup, 32, false, (i, a, b, imm) -> b[i & ~1]);
        check(LaneFunctions::movshdup, 32, false, (i, a, b, imm) -> b[i | 1]);
    }

    @Test
    void theLeastWordAndItsPositionAreFound() {
        check(LaneFunctions::phminposuw, 16, false, (i, a, b, imm) -> {
            int at = 0;
            for (int k = 1; k < 8; k++) {
                at = b[k] < b[at] ? k : at;
            }
            return i == 0 ? b[at] : i == 1 ? at : 0;
        });
    }

    @Test
    void sumsOfDifferencesSlideOverTheFirstSource() {
        check(LaneFunctions::mpsadbw, 8, false, (i, a, b, imm) -> {
            int word = i / 2;
            long sum = 0;
            for (int k = 0; k < 4; k++) {
                sum += Math.abs(a[(imm >> 2 & 1) * 4 + word + k] - b[(imm & 3) * 4 + k]);
            }
            return i % 2 == 0 ? sum & 0xFF : sum >> 8;
        });
    }

    @Test
    void carrylessProductsArePolynomialsOverTwoElements() {
        for (int round = 0; round < 3_000; round++) {
            long[] a = {Lanes.value(random), Lanes.value(random)};
            long[] b = {Lanes.value(random), Lanes.value(random)};
            int imm = random.nextInt(256);
            BigInteger x = unsigned(a[imm & 1]);
            BigInteger y = unsigned(b[imm >> 4 & 1]);
            BigInteger product = BigInteger.ZERO;
            for (int i = 0; i < 64; i++) {
                product = y.testBit(i) ? product.xor(x.shiftLeft(i)) : product;
            }
            assertThat(Lanes.apply(LaneFunctions::pclmulqdq, a, b, imm))
                    .containsExactly(product.longValue(), product.shiftRight(64).longValue());
        }
    }

    private static BigInteger unsigned(long x) {
        return new BigInteger(Long.toUnsignedString(x));
    }

    @Test
    void interleavingAlternatesTheElements() {
        checkPair(PackedShuffles::punpcklbw, 8, (i, x, y) -> i % 2 == 0 ? x[i / 2] : y[i / 2]);
        checkPair(PackedShuffles::punpcklwd, 16, (i, x, y) -> i % 2 == 0 ? x[i / 2] : y[i / 2]);
        checkPair(PackedShuffles::punpckldq, 32, (i, x, y) -> i % 2 == 0 ? x[i / 2] : y[i / 2]);
        checkPair(PackedShuffles::punpckhbw, 8, (i, x, y) -> i % 2 == 0 ? x[4 + i / 2] : y[4 + i / 2]);
        checkPair(PackedShuffles::punpckhwd, 16, (i, x, y) -> i % 2 == 0 ? x[2 + i / 2] : y[2 + i / 2]);
        checkPair(PackedShuffles::punpckhdq, 32, (i, x, y) -> i % 2 == 0 ? x[1] : y[1]);
    }

    @Test
    void horizontalSumsAddNeighbours() {
        checkPair(PackedShuffles::phaddw, 16, (i, x, y) -> neighbours(i, x, y, 1));
        checkPair(PackedShuffles::phsubw, 16, (i, x, y) -> neighbours(i, x, y, -1));
        checkPair(PackedShuffles::phaddd, 32, (i, x, y) -> neighbours(i, x, y, 1));
        checkPair(PackedShuffles::phsubd, 32, (i, x, y) -> neighbours(i, x, y, -1));
        checkPair(PackedShuffles::phaddsw, 16, (i, x, y) -> Math.clamp(neighbours(i, x, y, 1), -32768L, 32767L));
        checkPair(PackedShuffles::phsubsw, 16, (i, x, y) -> Math.clamp(neighbours(i, x, y, -1), -32768L, 32767L));
    }

    private static long neighbours(int i, long[] x, long[] y, int sign) {
        long[] from = 2 * i < x.length ? x : y;
        int at = 2 * i % x.length;
        return from[at] + sign * from[at + 1];
    }

    @Test
    void packsSaturateToHalfTheWidth() {
        checkPack(PackedShuffles::packsswb, 16, -128, 127);
        checkPack(PackedShuffles::packuswb, 16, 0, 255);
        checkPack(PackedShuffles::packssdw, 32, -32768, 32767);
        checkPack(PackedShuffles::packusdw, 32, 0, 65535);
    }

    private void checkPack(PackedIntegers.Binary function, int bits, long least, long most) {
        for (int round = 0; round < 5_000; round++) {
            long x = Lanes.value(random);
            long y = Lanes.value(random);
            long[] from = Lanes.split(bits, true, x, y);
            for (int i = 0; i < from.length; i++) {
                from[i] = Math.clamp(from[i], least, most);
            }
            assertThat(function.apply(x, y)).isEqualTo(Lanes.join(bits / 2, from)[0]);
        }
    }

    @FunctionalInterface
    private interface PairElement {
        long at(int i, long[] x, long[] y);
    }

    private void checkPair(PackedIntegers.Binary function, int bits, PairElement element) {
        for (int round = 0; round < 5_000; round++) {
            long x = Lanes.value(random);
            long y = Lanes.value(random);
            long[] xs = Lanes.split(bits, true, x);
            long[] ys = Lanes.split(bits, true, y);
            long[] expected = new long[xs.length];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = element.at(i, xs, ys);
            }
            assertThat(function.apply(x, y)).isEqualTo(Lanes.join(bits, expected)[0]);
        }
    }

    @Test
    void wideningKeepsTheValueOfEachElement() {
        for (int from = 8; from <= 32; from *= 2) {
            for (int to = 2 * from; to <= 64; to *= 2) {
                for (int round = 0; round < 500; round++) {
                    long bits = Lanes.value(random);
                    for (boolean signed : new boolean[] {false, true}) {
                        long[] elements = Arrays.copyOf(Lanes.split(from, signed, bits), 64 / to);
                        assertThat(ElementOps.widen(bits, from, to, signed)).isEqualTo(Lanes.join(to, elements)[0]);
                    }
                }
            }
        }
    }

    @Test
    void signsAreGatheredAndSpread() {
        for (int bits : new int[] {8, 32, 64}) {
            for (int round = 0; round < 1_000; round++) {
                long word = Lanes.value(random);
                long[] elements = Lanes.split(bits, true, word);
                int signs = 0;
                for (int i = 0; i < elements.length; i++) {
                    signs |= elements[i] < 0 ? 1 << i : 0;
                    elements[i] = elements[i] < 0 ? -1 : 0;
                }
                assertThat(ElementOps.signs(word, bits)).isEqualTo(signs);
                assertThat(ElementOps.spreadSigns(word, bits)).isEqualTo(Lanes.join(bits, elements)[0]);
            }
        }
    }
}
