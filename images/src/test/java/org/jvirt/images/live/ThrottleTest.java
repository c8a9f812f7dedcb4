package org.jvirt.images.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.core.UserErrorException;
import org.jvirt.testkit.ManualClock;

@Timeout(60)
final class ThrottleTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final ManualClock clock = new ManualClock();

    private static DiskLimits requests(DiskLimit limit) {
        return new DiskLimits(DiskLimit.NONE, DiskLimit.NONE, DiskLimit.NONE, limit, DiskLimit.NONE, DiskLimit.NONE, 0);
    }

    /// How many requests pass in a time, of a guest that has the next one ready whenever one is done.
    private int passedIn(LeakyBucket bucket, double amount, long nanos) {
        long now = 0;
        int passed = 0;
        while (true) {
            now += bucket.put(amount, now);
            if (now > nanos) {
                return passed;
            }
            passed++;
        }
    }

    @Test
    void withoutBurstsATenthOfASecondsWorthPassesAtOnceAndThenTheAverage() {
        assertThat(passedIn(new LeakyBucket(DiskLimit.of(100), 0), 1, 0)).isEqualTo(11);
        assertThat(passedIn(new LeakyBucket(DiskLimit.of(100), 0), 1, 10 * SECOND))
                .isBetween(1009, 1012);
        assertThat(passedIn(new LeakyBucket(DiskLimit.of(1 << 20), 0), 4096, 10 * SECOND))
                .isBetween(2560, 2588);
    }

    @Test
    void aBurstLastsItsLengthAtItsRateAndLeavesTheAverage() {
        var limit = new DiskLimit(100, 1000, 5);
        // 5 s at 1000 a second, that leak 100 a second meanwhile: the bucket is full after 5000 / 900 s.
        assertThat(passedIn(new LeakyBucket(limit, 0), 1, 5 * SECOND)).isBetween(5000, 5105);
        assertThat(passedIn(new LeakyBucket(limit, 0), 1, 100 * SECOND)).isBetween(14_990, 15_110);
        var short1 = new DiskLimit(100, 1000, 1);
        assertThat(passedIn(new LeakyBucket(short1, 0), 1, 0)).isEqualTo(1001);
        assertThat(passedIn(new LeakyBucket(short1, 0), 1, 10 * SECOND)).isBetween(1999, 2002);
    }

    @Test
    void aQuietTimeEarnsANewBurst() {
        var bucket = new LeakyBucket(new DiskLimit(10, 100, 1), 0);
        assertThat(passedIn(bucket, 1, 0)).isEqualTo(101);
        assertThat(bucket.put(1, 5 * SECOND)).isZero();
        long free = 0;
        while (bucket.put(1, 5 * SECOND) == 0) {
            free++;
        }
        assertThat(free).isBetween(48L, 51L);
    }

    @Test
    void aRequestLargerThanTheBucketPassesWhenWhatWasBeforeHasLeaked() {
        var bucket = new LeakyBucket(DiskLimit.of(1000), 0);
        assertThat(bucket.put(1_000_000, 0)).isZero();
        assertThat(bucket.put(1, 0)).isBetween(999 * SECOND, 1000 * SECOND);
    }

    @Test
    void requestsWaitForTheMachinesClock() throws Exception {
        var throttle = new Throttle(requests(DiskLimit.of(10)), clock);
        throttle.pass(false, 512);
        throttle.pass(true, 512);
        Thread third = waiting(() -> throttle.pass(false, 512));
        clock.advance(99 * MILLI);
        assertThat(third.join(Duration.ofMillis(50))).isFalse();
        clock.advance(101 * MILLI);
        assertThat(third.join(Duration.ofSeconds(30))).isTrue();
    }

    /// A thread that has begun to wait.
    private static Thread waiting(Runnable request) {
        Thread thread = Thread.ofPlatform().daemon().start(request);
        while (thread.getState() != Thread.State.WAITING) {
            assertThat(thread.isAlive()).isTrue();
            Thread.onSpinWait();
        }
        return thread;
    }

    @Test
    void readsAndWritesHaveLimitsOfTheirOwnAndLargeRequestsCountSeveralTimes() throws Exception {
        var limits = new DiskLimits(
                DiskLimit.NONE,
                DiskLimit.NONE,
                DiskLimit.of(10_000),
                DiskLimit.NONE,
                DiskLimit.of(10),
                DiskLimit.NONE,
                4096);
        var throttle = new Throttle(limits, clock);
        // Written bytes do not count as requests read, and the other way round.
        throttle.pass(true, 1000);
        throttle.pass(true, 1);
        throttle.pass(false, 1 << 20);
        Thread blocked = waiting(() -> throttle.pass(false, 512));
        // 1 MiB is 256 requests: 25.5 s at ten a second, beyond the one that is free.
        clock.advance(25 * SECOND);
        assertThat(blocked.join(Duration.ofMillis(50))).isFalse();
        clock.advance(2 * SECOND);
        assertThat(blocked.join(Duration.ofSeconds(30))).isTrue();
    }

    @Test
    void otherLimitsAndHurryLetWaitingRequestsPass() throws Exception {
        var throttle = new Throttle(requests(DiskLimit.of(1)), clock);
        throttle.pass(false, 1);
        var first = CompletableFuture.runAsync(() -> throttle.pass(false, 1));
        TimeUnit.MILLISECONDS.sleep(20);
        assertThat(first).isNotDone();
        throttle.limit(DiskLimits.NONE);
        first.get(30, TimeUnit.SECONDS);
        throttle.limit(requests(DiskLimit.of(1)));
        throttle.pass(false, 1);
        var second = CompletableFuture.runAsync(() -> throttle.pass(false, 1));
        TimeUnit.MILLISECONDS.sleep(20);
        assertThat(second).isNotDone();
        throttle.hurry(true);
        second.get(30, TimeUnit.SECONDS);
    }

    @Test
    void limitsThatCannotBeAreRefused() {
        assertThatThrownBy(() -> new DiskLimit(-1, 0, 1)).isInstanceOf(UserErrorException.class);
        assertThatThrownBy(() -> new DiskLimit(0, 5, 1)).hasMessageContaining("needs one on average");
        assertThatThrownBy(() -> new DiskLimit(10, 5, 1)).hasMessageContaining("below the average");
        assertThatThrownBy(() -> new DiskLimit(10, 0, 5)).hasMessageContaining("give a length");
        assertThatThrownBy(() -> DiskLimits.averages(1, 1, 0, 0, 0, 0)).hasMessageContaining("not both");
    }
}
