package org.jvirt.devices.time;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;

final class Pit8254Test {
    private static final int OUT2 = 0x20;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine irq0 = new RecordingLine();
    private final Pit8254 pit = new Pit8254(clock, irq0);

    /// Moves to the first nanosecond of the tick `ticks` further on.
    private void tick(long ticks) {
        long tick = Pit8254.RATE.ticksAt(clock.nanos()) + ticks;
        clock.advance(Math.max(0, Pit8254.RATE.nanosAt(tick) - clock.nanos()));
    }

    private void program(int channel, int control, int count) {
        pit.write(3, 1, channel << 6 | 0x30 | control);
        pit.write(channel, 1, count & 0xff);
        pit.write(channel, 1, count >> 8);
    }

    private int count(int channel) {
        pit.write(3, 1, channel << 6);
        return (int) (pit.read(channel, 1) | pit.read(channel, 1) << 8);
    }

    private boolean out2() {
        return (pit.portB().read(0, 1) & OUT2) != 0;
    }

    private void gate2(boolean high) {
        pit.portB().write(0, 1, high ? 1 : 0);
    }

    private int status(int channel) {
        pit.write(3, 1, 0xe0 | 2 << channel);
        return (int) pit.read(channel, 1);
    }

    @Test
    void mode0RaisesOutAfterCountPlusOneTicks() {
        program(0, 0, 100);
        assertThat(irq0.high()).isFalse();
        assertThat(status(0)).as("null count").isEqualTo(0x70);
        tick(1);
        assertThat(status(0)).isEqualTo(0x30);
        assertThat(count(0)).isEqualTo(100);
        tick(99);
        assertThat(irq0.high()).isFalse();
        assertThat(count(0)).isEqualTo(1);
        tick(1);
        assertThat(irq0.high()).isTrue();
        tick(10);
        assertThat(count(0)).as("goes on from 0").isEqualTo(0x10000 - 10);
        clock.advance(1_000_000_000);
        assertThat(irq0.risingEdges()).isEqualTo(1);
    }

    @Test
    void mode0StopsAtTheFirstByteOfANewCount() {
        program(0, 0, 1000);
        tick(10);
        pit.write(0, 1, 0x10);
        clock.advance(10_000_000);
        assertThat(irq0.high()).isFalse();
        pit.write(0, 1, 0);
        tick(17);
        assertThat(irq0.high()).isTrue();
    }

    @Test
    void mode2InterruptsOncePerCycle() {
        program(0, 4, 11932);
        int before = irq0.risingEdges();
        clock.advance(1_000_000_000);
        assertThat(irq0.risingEdges() - before).isEqualTo(99);
        clock.advance(100_000);
        assertThat(irq0.risingEdges() - before).isEqualTo(100);
    }

    @Test
    void mode2TakesANewCountAtTheEndOfTheCycle() {
        program(2, 4, 1000);
        gate2(true);
        tick(1 + 500);
        pit.write(2, 1, 100);
        pit.write(2, 1, 0);
        assertThat(count(2)).isEqualTo(500);
        tick(500 + 30);
        assertThat(count(2)).isEqualTo(70);
        tick(69);
        assertThat(out2()).isFalse();
        tick(1);
        assertThat(out2()).isTrue();
    }

    @Test
    void mode3IsASquareWave() {
        gate2(true);
        program(2, 6, 5);
        tick(1);
        StringBuilder wave = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            wave.append(out2() ? 'H' : 'L');
            tick(1);
        }
        assertThat(wave).hasToString("HHHLLHHHLL");
        program(2, 6, 8);
        tick(1);
        assertThat(count(2)).isEqualTo(8);
        tick(1);
        assertThat(count(2)).isEqualTo(6);
    }

    @Test
    void mode1IsTriggeredByItsGate() {
        program(2, 2, 20);
        assertThat(out2()).isTrue();
        gate2(true);
        tick(1);
        assertThat(out2()).isFalse();
        tick(10);
        gate2(false);
        gate2(true);
        tick(1 + 19);
        assertThat(out2()).as("triggered anew").isFalse();
        tick(1);
        assertThat(out2()).isTrue();
    }

    @Test
    void mode4And5StrobeForOneTick() {
        gate2(true);
        program(2, 8, 5);
        tick(1 + 4);
        assertThat(out2()).isTrue();
        tick(1);
        assertThat(out2()).isFalse();
        tick(1);
        assertThat(out2()).isTrue();
        gate2(false);
        program(2, 10, 5);
        tick(100);
        gate2(true);
        tick(1 + 5);
        assertThat(out2()).isFalse();
        tick(1);
        assertThat(out2()).isTrue();
    }

    @Test
    void aLowGateStopsTheCount() {
        gate2(true);
        program(2, 0, 100);
        tick(1 + 40);
        gate2(false);
        tick(1000);
        assertThat(count(2)).isEqualTo(60);
        gate2(true);
        tick(59);
        assertThat(out2()).isFalse();
        tick(1);
        assertThat(out2()).isTrue();
    }

    @Test
    void bcdCountsInDecimal() {
        gate2(true);
        program(2, 1, 0x1000);
        tick(2);
        assertThat(count(2)).isEqualTo(0x0999);
        program(2, 1, 0);
        tick(2);
        assertThat(count(2)).isEqualTo(0x9999);
    }

    @Test
    void latchesHoldUntilRead() {
        gate2(true);
        program(2, 4, 50_000);
        tick(1 + 100);
        pit.write(3, 1, 0xc8);
        tick(500);
        pit.write(3, 1, 0x80);
        assertThat(pit.read(2, 1)).as("status first").isEqualTo(0xb4);
        assertThat(pit.read(2, 1) | pit.read(2, 1) << 8).isEqualTo(49_900);
        assertThat(pit.read(2, 1) | pit.read(2, 1) << 8).isEqualTo(49_400);
    }

    @Test
    void portBShowsTheRefreshToggle() {
        long first = pit.portB().read(0, 1) & 0x10;
        clock.advance(15_085);
        assertThat(pit.portB().read(0, 1) & 0x10).isNotEqualTo(first);
        pit.portB().write(0, 1, 0xff);
        assertThat(pit.portB().read(0, 1) & 0x0f).isEqualTo(0x0f);
    }

    @Test
    void absurdRatesDoNotFlood() {
        program(0, 4, 2);
        int before = irq0.risingEdges();
        clock.advance(10_000_000);
        assertThat(irq0.risingEdges() - before).isLessThanOrEqualTo(501);
    }

    @Test
    void resetStopsTheInterrupt() {
        program(0, 4, 11932);
        pit.reset();
        int before = irq0.risingEdges();
        clock.advance(1_000_000_000);
        assertThat(irq0.risingEdges()).isEqualTo(before);
    }

    @Test
    void aRestoredTimerKeepsItsPhase() {
        program(0, 4, 11932);
        clock.advance(4_000_000);
        var line = new RecordingLine();
        var restored = new Pit8254(clock, line, pit.save());
        int original = irq0.risingEdges();
        int edges = line.risingEdges();
        clock.advance(6_000_000);
        assertThat(irq0.risingEdges()).isEqualTo(original);
        clock.advance(1_000);
        assertThat(irq0.risingEdges()).isEqualTo(original + 1);
        assertThat(line.risingEdges()).isEqualTo(edges + 1);
        assertThat(restored.save()).isEqualTo(pit.save());
    }
}
