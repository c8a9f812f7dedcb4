package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Against the manual's definition: a matrix of all comparisons, the overrides for elements that are not valid, the
/// aggregation.
class StringComparisonTest {
    @Test
    void everyControlByteDoesWhatTheManualDefines() {
        var random = new SplittableRandom(7);
        for (int control = 0; control < 128; control++) {
            for (int round = 0; round < 400; round++) {
                long[] a = {text(random), text(random)};
                long[] b = {text(random), text(random)};
                int n = (control & 1) == 0 ? 16 : 8;
                int la = random.nextInt(n + 1);
                int lb = random.nextInt(n + 1);
                int expected = model(a, la, b, lb, control);
                assertThat(StringComparison.compare(a[0], a[1], la, b[0], b[1], lb, control))
                        .as("control %x lengths %d %d", control, la, lb)
                        .isEqualTo(expected);
                checkOutputs(expected, control, n);
            }
        }
    }

    /// Letters of a small alphabet, so that something matches; also negative elements.
    private static long text(SplittableRandom random) {
        return (random.nextLong() & 0x0303_0303_0303_0303L) - (random.nextInt(3) == 0 ? 0x0201_0002_0102_0100L : 0);
    }

    private static int model(long[] a, int la, long[] b, int lb, int control) {
        int bits = (control & 1) == 0 ? 8 : 16;
        int n = 128 / bits;
        long[] as = Lanes.split(bits, (control & 2) != 0, a);
        long[] bs = Lanes.split(bits, (control & 2) != 0, b);
        int aggregation = control >> 2 & 3;
        // matrix[j][i]: element j of the second operand against element i of the first
        boolean[][] matrix = new boolean[n][n];
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < n; i++) {
                boolean aValid = i < la;
                boolean bValid = j < lb;
                boolean plain = aggregation != 1 ? as[i] == bs[j] : i % 2 == 0 ? bs[j] >= as[i] : bs[j] <= as[i];
                if (aValid && bValid) {
                    matrix[j][i] = plain;
                } else if (aggregation < 2) {
                    matrix[j][i] = false;
                } else if (aggregation == 2) {
                    matrix[j][i] = !aValid && !bValid;
                } else {
                    matrix[j][i] = !aValid;
                }
            }
        }
        int result = 0;
        for (int j = 0; j < n; j++) {
            boolean bit = aggregation == 3;
            for (int i = 0; i < n; i++) {
                switch (aggregation) {
                    case 0 -> bit |= matrix[j][i];
                    case 1 -> bit |= i % 2 == 0 && matrix[j][i] && matrix[j][i + 1];
                    case 2 -> bit |= i == j && matrix[j][i];
                    default -> bit &= i + j >= n || matrix[i + j][i];
                }
            }
            boolean negate = (control >> 4 & 3) == 1 || (control >> 4 & 3) == 3 && j < lb;
            result |= bit != negate ? 1 << j : 0;
        }
        return result;
    }

    private static void checkOutputs(int result, int control, int n) {
        int index = n;
        for (int i = 0; i < n; i++) {
            boolean last = (control & 0x40) != 0;
            if ((result >> i & 1) != 0 && (last || index == n)) {
                index = i;
            }
        }
        assertThat(StringComparison.index(result, control)).isEqualTo(index);
        long[] mask = new long[n];
        for (int i = 0; i < n; i++) {
            mask[i] = -(result >> i & 1);
        }
        long[] expected = (control & 0x40) != 0 ? Lanes.join(128 / n, mask) : new long[] {result, 0};
        assertThat(new long[] {StringComparison.mask(0, result, control), StringComparison.mask(1, result, control)})
                .isEqualTo(expected);
    }

    @Test
    void lengthsAreFoundOrCutToTheElementsThatThereAre() {
        assertThat(StringComparison.implicitLength(0x0000_0001_0203_0405L, 0, 0))
                .isEqualTo(5);
        assertThat(StringComparison.implicitLength(-1, -1, 1)).isEqualTo(8);
        assertThat(StringComparison.explicitLength(-5, 0)).isEqualTo(5);
        assertThat(StringComparison.explicitLength(Long.MIN_VALUE, 0)).isEqualTo(16);
        assertThat(StringComparison.explicitLength(Integer.MAX_VALUE, 1)).isEqualTo(8);
    }
}
