package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WideDivisionTest {
    private static final BigInteger TWO64 = BigInteger.ONE.shiftLeft(64);

    private static BigInteger unsigned(long value) {
        return value < 0 ? BigInteger.valueOf(value).add(TWO64) : BigInteger.valueOf(value);
    }

    private static void check(long high, long low, long divisor) {
        checkUnsigned(high, low, divisor);
        checkSigned(high, low, divisor);
    }

    private static void checkUnsigned(long high, long low, long divisor) {
        if (divisor == 0) {
            assertThat(WideDivision.overflows(high, divisor)).isTrue();
            return;
        }
        BigInteger quotient = unsigned(high).multiply(TWO64).add(unsigned(low)).divide(unsigned(divisor));
        boolean fits = quotient.compareTo(TWO64) < 0;
        assertThat(WideDivision.overflows(high, divisor)).isEqualTo(!fits);
        if (fits) {
            assertThat(WideDivision.quotient(high, low, divisor))
                    .as("0x%x:%x / 0x%x", high, low, divisor)
                    .isEqualTo(quotient.longValue());
        }
    }

    private static void checkSigned(long high, long low, long divisor) {
        if (divisor == 0) {
            assertThat(WideDivision.signedOverflows(high, low, divisor)).isTrue();
            return;
        }
        BigInteger quotient =
                BigInteger.valueOf(high).multiply(TWO64).add(unsigned(low)).divide(BigInteger.valueOf(divisor));
        boolean fits = quotient.bitLength() < 64;
        assertThat(WideDivision.signedOverflows(high, low, divisor))
                .as("0x%x:%x / %d", high, low, divisor)
                .isEqualTo(!fits);
        if (fits) {
            assertThat(WideDivision.signedQuotient(high, low, divisor))
                    .as("0x%x:%x / %d", high, low, divisor)
                    .isEqualTo(quotient.longValue());
        }
    }

    @Test
    void edgesAgreeWithBigIntegers() {
        long[] edges = {
            0,
            1,
            2,
            3,
            0x7FFF_FFFFL,
            0x8000_0000L,
            0xFFFF_FFFFL,
            0x1_0000_0000L,
            0x1_0000_0001L,
            Long.MAX_VALUE - 1,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            Long.MIN_VALUE + 1,
            -0x1_0000_0000L,
            -0xFFFF_FFFFL,
            -3,
            -2,
            -1
        };
        for (long high : edges) {
            for (long low : edges) {
                for (long divisor : edges) {
                    check(high, low, divisor);
                }
            }
        }
    }

    @Test
    void randomOperandsOfAllMagnitudesAgreeWithBigIntegers() {
        var random = new SplittableRandom(5);
        for (int i = 0; i < 100_000; i++) {
            long divisor = random.nextLong() >> random.nextInt(64);
            long high = random.nextLong() >> random.nextInt(64);
            // every other dividend just below the limit, where the estimates of digits are worst
            if (random.nextBoolean() && divisor != 0) {
                high = Long.remainderUnsigned(high, divisor);
            }
            check(high, random.nextLong() >> random.nextInt(64), divisor);
        }
    }
}
