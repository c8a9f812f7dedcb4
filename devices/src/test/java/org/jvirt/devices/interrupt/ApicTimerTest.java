package org.jvirt.devices.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ApicTimerTest {
    private static final int PERIODIC = 1 << 17;
    private static final int DEADLINE = 2 << 17;
    private static final int MASKED = 1 << 16;

    private final Board board = Board.enabled(1);

    private boolean taken() {
        if (!board.cpu(0).pending()) {
            return false;
        }
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0xec);
        board.cpu(0).endOfInterrupt();
        return true;
    }

    private int count() {
        return board.apicRead(0, Board.TCCR);
    }

    @Test
    void oneShotCountsDownExactlyAndFiresOnce() {
        board.apicWrite(0, Board.TDCR, 0b1011);
        board.apicWrite(0, Board.LVT_TIMER, 0xec);
        board.apicWrite(0, Board.TICR, 1000);
        assertThat(count()).isEqualTo(1000);
        board.clock.advance(1);
        assertThat(count()).isEqualTo(999);
        board.clock.advance(998);
        assertThat(count()).isEqualTo(1);
        assertThat(taken()).isFalse();
        board.clock.advance(1);
        assertThat(count()).isZero();
        assertThat(taken()).isTrue();
        board.clock.advance(10_000);
        assertThat(taken()).isFalse();
    }

    @Test
    void theDivisorIsHonouredAndMayChangeUnderWay() {
        int[] codes = {0b0000, 0b0001, 0b0010, 0b0011, 0b1000, 0b1001, 0b1010, 0b1011};
        int[] divisors = {2, 4, 8, 16, 32, 64, 128, 1};
        board.apicWrite(0, Board.LVT_TIMER, 0xec);
        for (int i = 0; i < codes.length; i++) {
            board.apicWrite(0, Board.TDCR, codes[i]);
            board.apicWrite(0, Board.TICR, 100);
            board.clock.advance(50L * divisors[i]);
            assertThat(count()).isEqualTo(50);
        }
        board.apicWrite(0, Board.TDCR, 0);
        assertThat(count()).isEqualTo(50);
        board.clock.advance(99);
        assertThat(taken()).isFalse();
        board.clock.advance(1);
        assertThat(taken()).isTrue();
    }

    @Test
    void periodicReloadsAtEachZero() {
        board.apicWrite(0, Board.TDCR, 0b1011);
        board.apicWrite(0, Board.LVT_TIMER, 0xec | PERIODIC);
        board.apicWrite(0, Board.TICR, 100_000);
        for (int i = 0; i < 5; i++) {
            board.clock.advance(99_999);
            assertThat(taken()).isFalse();
            assertThat(count()).isEqualTo(1);
            board.clock.advance(1);
            assertThat(count()).isEqualTo(100_000);
            assertThat(taken()).isTrue();
        }
        board.apicWrite(0, Board.TICR, 0);
        board.clock.advance(1_000_000);
        assertThat(taken()).isFalse();
    }

    @Test
    void absurdPeriodsCountExactlyButInterruptSlowly() {
        board.apicWrite(0, Board.TDCR, 0b1011);
        board.apicWrite(0, Board.LVT_TIMER, 0xec | PERIODIC);
        board.apicWrite(0, Board.TICR, 1);
        int interrupts = 0;
        for (int i = 0; i < 1000; i++) {
            board.clock.advance(1000);
            interrupts += taken() ? 1 : 0;
        }
        assertThat(interrupts).isBetween(40, 51);
    }

    @Test
    void aMaskedTimerStillCounts() {
        board.apicWrite(0, Board.TDCR, 0b1011);
        board.apicWrite(0, Board.LVT_TIMER, 0xec | MASKED);
        board.apicWrite(0, Board.TICR, 1000);
        board.clock.advance(2000);
        assertThat(count()).isZero();
        assertThat(taken()).isFalse();
    }

    @Test
    void changingBetweenOneShotAndPeriodicKeepsTheCount() {
        board.apicWrite(0, Board.TDCR, 0b1011);
        board.apicWrite(0, Board.LVT_TIMER, 0xec);
        board.apicWrite(0, Board.TICR, 50_000);
        board.clock.advance(10_000);
        board.apicWrite(0, Board.LVT_TIMER, 0xec | PERIODIC);
        assertThat(count()).isEqualTo(40_000);
        board.clock.advance(40_000);
        assertThat(count()).isEqualTo(50_000);
        board.apicWrite(0, Board.LVT_TIMER, 0xec);
        board.clock.advance(60_000);
        assertThat(count()).isZero();
        board.apicWrite(0, Board.LVT_TIMER, 0xec | PERIODIC);
        assertThat(count()).as("a timer that ended stays at 0").isZero();
    }

    @Test
    void tscDeadlineFiresAtItsTickAndDisarms() {
        board.cpu(0).setTscDeadline(5);
        assertThat(board.cpu(0).tscDeadline()).as("not in this mode").isZero();
        board.apicWrite(0, Board.LVT_TIMER, 0xec | DEADLINE);
        board.cpu(0).setTscDeadline(2001);
        assertThat(board.cpu(0).tscDeadline()).isEqualTo(2001);
        board.clock.advance(1000);
        assertThat(taken()).isFalse();
        board.clock.advance(1);
        assertThat(taken()).isTrue();
        assertThat(board.cpu(0).tscDeadline()).isZero();
        board.cpu(0).setTscDeadline(1);
        assertThat(taken())
                .as("a deadline that has passed, without waiting for a timer")
                .isTrue();
        board.cpu(0).setTscDeadline(-1L);
        board.clock.advance(1_000_000_000_000L);
        assertThat(taken()).as("a deadline beyond reach").isFalse();
        assertThat(count()).isZero();
    }

    @Test
    void leavingDeadlineModeDisarms() {
        board.apicWrite(0, Board.LVT_TIMER, 0xec | DEADLINE);
        board.cpu(0).setTscDeadline(2000);
        board.apicWrite(0, Board.LVT_TIMER, 0xec);
        board.clock.advance(5000);
        assertThat(taken()).isFalse();
        assertThat(board.cpu(0).tscDeadline()).isZero();
    }

    @Test
    void aRestoredTimerFiresAtTheSameTime() {
        board.apicWrite(0, Board.LVT_TIMER, 0xec | DEADLINE);
        board.cpu(0).setTscDeadline(2000);
        var restored = new PcInterrupts(board.tsc, board.controllers.save());
        var cpu = new RecordingSignals();
        restored.connect(0, cpu);
        board.clock.advance(999);
        assertThat(cpu.take()).isEmpty();
        board.clock.advance(1);
        assertThat(cpu.take()).containsExactly("pending");
        assertThat(restored.local(0).acknowledge()).isEqualTo(0xec);
    }
}
