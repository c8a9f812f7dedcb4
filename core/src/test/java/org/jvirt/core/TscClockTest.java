package org.jvirt.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TscClockTest {
    private static final VmClock NOWHERE = new VmClock() {
        @Override
        public long nanos() {
            return 0;
        }

        @Override
        public long wallNanos() {
            return 0;
        }

        @Override
        public Timer timer(String name, Runnable onExpiry) {
            throw new IllegalStateException("no timers here");
        }
    };

    @Test
    void ticksAndNanosecondsAgreeForYears() {
        for (long hz : new long[] {1_000_000, 999_999_937, 2_600_000_000L, 8_000_000_000L}) {
            var tsc = new TscClock(NOWHERE, hz);
            for (long nanos : new long[] {0, 1, 999_999_999, 86_400_000_000_000L, 100_000_000_000_000_000L}) {
                long ticks = tsc.ticksAt(nanos);
                assertThat(tsc.nanosAt(ticks)).isLessThanOrEqualTo(nanos);
                assertThat(tsc.ticksAt(tsc.nanosAt(ticks))).isGreaterThanOrEqualTo(ticks);
            }
        }
    }

    @Test
    void aDeadlineBeyondReachNeverComes() {
        assertThat(new TscClock(NOWHERE, 1_000_000).nanosAt(-1)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void anAbsurdFrequencyIsRefused() {
        assertThatThrownBy(() -> new TscClock(NOWHERE, 10)).hasMessageContaining("10 Hz");
    }
}
