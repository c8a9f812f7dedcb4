package org.jvirt.machine.clock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.VmClock.Timer;

final class HostClockTest {
    private static final long MILLI = 1_000_000;

    private final HostClock clock = new HostClock("test", 0);

    @AfterEach
    void close() {
        clock.close();
    }

    @Test
    void standsUntilStartedAndWhileStopped() throws InterruptedException {
        assertThat(clock.nanos()).isZero();
        clock.start();
        awaitTimer(5 * MILLI);
        clock.stop();
        long stopped = clock.nanos();
        assertThat(stopped).isGreaterThanOrEqualTo(5 * MILLI);
        assertThat(clock.nanos()).isEqualTo(stopped);
        clock.start();
        assertThat(clock.nanos()).isGreaterThanOrEqualTo(stopped);
    }

    @Test
    void timersFireInTheOrderOfTheirDeadlinesAndNotEarly() throws InterruptedException {
        List<Integer> order = new CopyOnWriteArrayList<>();
        AtomicReference<Long> early = new AtomicReference<>(0L);
        var done = new CountDownLatch(3);
        long[] deadlines = {6 * MILLI, 2 * MILLI, 4 * MILLI};
        for (int i = 0; i < deadlines.length; i++) {
            int index = i;
            clock.timer("t" + i, () -> {
                        if (clock.nanos() < deadlines[index]) {
                            early.set(deadlines[index] - clock.nanos());
                        }
                        order.add(index);
                        done.countDown();
                    })
                    .arm(deadlines[i]);
        }
        assertThat(order).isEmpty();
        clock.start();
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(order).containsExactly(1, 2, 0);
        assertThat(early.get()).isZero();
    }

    @Test
    void armingAgainReplacesAndCancellingTakesBack() throws InterruptedException {
        var fired = new AtomicInteger();
        Timer moved = clock.timer("moved", fired::incrementAndGet);
        Timer cancelled = clock.timer("cancelled", () -> fired.addAndGet(100));
        moved.arm(1 * MILLI);
        moved.arm(3 * MILLI);
        cancelled.arm(2 * MILLI);
        cancelled.cancel();
        clock.start();
        awaitTimer(8 * MILLI);
        assertThat(fired).hasValue(1);
    }

    @Test
    void aTimerMayArmItself() throws InterruptedException {
        var done = new CountDownLatch(5);
        var timer = new AtomicReference<Timer>();
        timer.set(clock.timer("periodic", () -> {
            done.countDown();
            if (done.getCount() > 0) {
                timer.get().arm(clock.nanos() + MILLI);
            }
        }));
        timer.get().arm(0);
        clock.start();
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aTimerThatFailsDoesNotStopTime() throws InterruptedException {
        clock.timer("broken", () -> {
                    throw new IllegalStateException("for the test");
                })
                .arm(0);
        clock.start();
        awaitTimer(2 * MILLI);
        assertThat(clock.nanos()).isGreaterThanOrEqualTo(2 * MILLI);
    }

    @Test
    void wallClockIsTheHosts() {
        long before = System.currentTimeMillis() - 1000;
        assertThat(clock.wallNanos() / MILLI).isBetween(before, before + 60_000);
    }

    private void awaitTimer(long deadline) throws InterruptedException {
        var done = new CountDownLatch(1);
        clock.timer("await", done::countDown).arm(deadline);
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
    }
}
