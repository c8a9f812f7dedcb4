package org.jvirt.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TickRateTest {
    @Test
    void ticksAreExactOverYears() {
        var random = new Random(1);
        for (TickRate rate : new TickRate[] {
            TickRate.hz(1_193_182), TickRate.hz(3_579_545), new TickRate(1_000_000, 69_841_279), TickRate.hz(32_768)
        }) {
            for (int i = 0; i < 1000; i++) {
                long nanos = random.nextLong() >>> 1 >>> random.nextInt(60);
                BigInteger exact = BigInteger.valueOf(nanos)
                        .multiply(BigInteger.valueOf(rate.ticks()))
                        .divide(BigInteger.valueOf(rate.perNanos()));
                assertThat(rate.ticksAt(nanos)).isEqualTo(exact.longValueExact());
            }
        }
    }

    @Test
    void nanosAtIsTheFirstNanosecondOfATick() {
        var random = new Random(2);
        TickRate rate = TickRate.hz(1_193_182);
        for (int i = 0; i < 1000; i++) {
            long tick = 1 + (random.nextLong() >>> 12 + random.nextInt(50));
            long nanos = rate.nanosAt(tick);
            assertThat(rate.ticksAt(nanos)).isEqualTo(tick);
            assertThat(rate.ticksAt(nanos - 1)).isEqualTo(tick - 1);
        }
        assertThat(rate.nanosAt(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void ratesThatOverflowAreRefused() {
        assertThatThrownBy(() -> new TickRate(1L << 31, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TickRate.hz(0)).isInstanceOf(IllegalArgumentException.class);
    }
}
