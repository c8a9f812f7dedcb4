package org.jvirt.devices.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;
import org.jvirt.testkit.RecordingMsi;

final class HpetTest {
    private static final int ENABLE = 1;
    private static final int LEGACY = 2;
    private static final int LEVEL = 2;
    private static final int INT = 4;
    private static final int PERIODIC = 8;
    private static final int SET = 0x40;
    private static final int MODE_32 = 0x100;
    private static final int FSB = 0x4000;

    private final ManualClock clock = new ManualClock();
    private final Map<Integer, RecordingLine> lines = new HashMap<>();
    private final RecordingMsi msi = new RecordingMsi();
    private final Hpet hpet = new Hpet(clock, 3, Hpet.PERIOD_FEMTOS_10_NS, this::line, msi);

    private RecordingLine line(int gsi) {
        return lines.computeIfAbsent(gsi, g -> new RecordingLine());
    }

    private void set(int register, long value) {
        hpet.write(register, 8, value);
    }

    private static int conf(int timer) {
        return 0x100 + 0x20 * timer;
    }

    private static int comp(int timer) {
        return conf(timer) + 8;
    }

    private static long route(int gsi) {
        return (long) gsi << 9;
    }

    @Test
    void describesItself() {
        assertThat(hpet.read(0, 8)).isEqualTo(10_000_000L << 32 | 0x8086_a201L);
        assertThat(hpet.read(4, 4)).isEqualTo(10_000_000);
        assertThat(hpet.read(conf(0), 8)).isEqualTo(0x00f0_0000_0000_8030L);
    }

    @Test
    void theCounterRunsOnlyWhenEnabledAndIsExact() {
        clock.advance(1000);
        assertThat(hpet.read(0xf0, 8)).isZero();
        set(0xf0, 5);
        set(0x10, ENABLE);
        clock.advance(1009);
        assertThat(hpet.read(0xf0, 8)).isEqualTo(105);
        set(0xf0, 0);
        assertThat(hpet.read(0xf0, 8)).as("cannot be set while running").isEqualTo(105);
        set(0x10, 0);
        clock.advance(1000);
        assertThat(hpet.read(0xf0, 8)).isEqualTo(105);
        var ich9 = new Hpet(clock, 3, Hpet.PERIOD_FEMTOS_ICH9, this::line, msi);
        ich9.write(0x10, 8, 1);
        long before = ich9.read(0xf0, 8);
        clock.advance(1_000_000_000);
        assertThat(ich9.read(0xf0, 8) - before).isBetween(14_318_179L, 14_318_180L);
    }

    @Test
    void aOneShotFiresAtItsTick() {
        set(0x10, ENABLE);
        set(conf(1), INT | route(21));
        set(comp(1), 1000);
        clock.advance(9_999);
        assertThat(line(21).risingEdges()).isZero();
        clock.advance(1);
        assertThat(line(21).risingEdges()).isEqualTo(1);
        clock.advance(1_000_000);
        assertThat(line(21).risingEdges()).isEqualTo(1);
    }

    @Test
    void aPeriodicTimerIsSetAsLinuxDoes() {
        set(0x10, ENABLE);
        clock.advance(500);
        set(conf(0), INT | PERIODIC | SET | MODE_32 | route(20));
        set(comp(0), 50 + 10_000);
        set(comp(0), 10_000);
        clock.advance(99_999);
        assertThat(line(20).risingEdges()).isZero();
        clock.advance(1);
        assertThat(line(20).risingEdges()).isEqualTo(1);
        assertThat(hpet.read(comp(0), 8)).isEqualTo(20_050);
        clock.advance(1_000_000);
        assertThat(line(20).risingEdges()).isEqualTo(11);
    }

    @Test
    void aLevelStaysUntilItsStatusIsCleared() {
        set(0x10, ENABLE);
        set(conf(2), INT | LEVEL | route(22));
        set(comp(2), 100);
        clock.advance(1000);
        assertThat(line(22).high()).isTrue();
        assertThat(hpet.read(0x20, 8)).isEqualTo(4);
        set(0x20, 3);
        assertThat(line(22).high()).isTrue();
        set(0x20, 4);
        assertThat(line(22).high()).isFalse();
    }

    @Test
    void messagesGoToTheAddressGiven() {
        set(0x10, ENABLE);
        set(conf(1) + 0x10, 0xfee0_1000L << 32 | 0x4041);
        set(conf(1), INT | FSB);
        set(comp(1), 100);
        clock.advance(1000);
        assertThat(msi.take()).containsExactly(new RecordingMsi.Message(0xfee0_1000L, 0x4041));
    }

    @Test
    void legacyReplacementTakesTheWiresAndGivesThemBack() {
        hpet.pitInput().set(true);
        assertThat(line(0).high()).isTrue();
        set(0x10, ENABLE | LEGACY);
        assertThat(line(0).high()).isFalse();
        hpet.pitInput().pulse();
        hpet.rtcInput().set(true);
        assertThat(line(0).risingEdges()).isEqualTo(1);
        assertThat(line(8).high()).isFalse();
        set(conf(0), INT);
        set(comp(0), 1000);
        set(conf(1), INT);
        set(comp(1), 2000);
        clock.advance(20_000);
        assertThat(line(0).risingEdges()).isEqualTo(2);
        assertThat(line(8).risingEdges()).isEqualTo(1);
        set(0x10, 0);
        assertThat(line(8).high()).isTrue();
        assertThat(line(0).high()).isFalse();
    }

    @Test
    void a32BitComparatorMatchesAfterTheWrap() {
        set(0xf0, 0xffff_ff00L);
        set(conf(0), INT | MODE_32 | route(20));
        set(comp(0), 0x10);
        set(0x10, ENABLE);
        clock.advance(0x110 * 10 - 1);
        assertThat(line(20).risingEdges()).isZero();
        clock.advance(1);
        assertThat(line(20).risingEdges()).isEqualTo(1);
    }

    @Test
    void aComparatorBehindTheCounterWaits() {
        set(0x10, ENABLE);
        clock.advance(1_000_000);
        set(conf(0), INT | route(20));
        set(comp(0), 10);
        clock.advance(1_000_000_000);
        assertThat(line(20).risingEdges()).isZero();
    }

    @Test
    void absurdPeriodsDoNotFlood() {
        set(conf(0), INT | PERIODIC | SET | route(20));
        set(comp(0), 1);
        set(comp(0), 1);
        set(0x10, ENABLE);
        clock.advance(10_000_000);
        assertThat(line(20).risingEdges()).isBetween(400, 501);
    }

    @Test
    void resetStopsEverythingAndDropsTheLines() {
        set(0x10, ENABLE);
        set(conf(2), INT | LEVEL | route(22));
        set(comp(2), 100);
        set(conf(1), INT | route(21));
        set(comp(1), 1000);
        clock.advance(2000);
        assertThat(line(22).high()).isTrue();
        hpet.reset();
        assertThat(line(22).high()).isFalse();
        clock.advance(1_000_000);
        assertThat(line(21).risingEdges()).isZero();
        assertThat(hpet.read(0xf0, 8)).isZero();
        assertThat(hpet.read(comp(1), 8)).isEqualTo(-1);
    }

    @Test
    void unroutableInputsInterruptNobody() {
        set(0x10, ENABLE);
        for (int gsi : new int[] {0, 2, 5, 19, 24, 31}) {
            set(conf(0), INT | LEVEL | route(gsi));
            set(comp(0), hpet.read(0xf0, 8) + 100);
            clock.advance(10_000);
        }
        assertThat(lines.values()).noneMatch(RecordingLine::high);
    }
}
