package org.jvirt.devices.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;

final class RtcTest {
    private static final long SECOND = 1_000_000_000;

    /// A Thursday, 23:59:57.
    private final ManualClock clock =
            new ManualClock(LocalDateTime.of(2024, 2, 29, 23, 59, 57).toEpochSecond(ZoneOffset.UTC) * SECOND);

    private final RecordingLine irq8 = new RecordingLine();
    private final Rtc rtc = new Rtc(clock, irq8, 0, new CmosSettings(3L << 30, 5L << 30, 4));

    private int get(int register) {
        rtc.write(0, 1, register);
        return (int) rtc.read(1, 1);
    }

    private void set(int register, int value) {
        rtc.write(0, 1, register);
        rtc.write(1, 1, value);
    }

    @Test
    void showsTheWallClockInBcd() {
        assertThat(new int[] {get(0), get(2), get(4), get(6), get(7), get(8), get(9), get(0x32)})
                .containsExactly(0x57, 0x59, 0x23, 0x05, 0x29, 0x02, 0x24, 0x20);
        clock.advance(3 * SECOND);
        assertThat(new int[] {get(0), get(2), get(4), get(6), get(7), get(8)})
                .containsExactly(0x00, 0x00, 0x00, 0x06, 0x01, 0x03);
    }

    @Test
    void showsBinaryAndTwelveHours() {
        set(0x0b, 0x06);
        assertThat(get(4)).isEqualTo(23);
        set(0x0b, 0x04);
        assertThat(get(4)).isEqualTo(0x80 | 11);
        clock.advance(3 * SECOND);
        assertThat(get(4)).isEqualTo(12);
    }

    @Test
    void aGuestSetsItTheLinuxWay() {
        clock.advance(SECOND / 4);
        int control = get(0x0b);
        set(0x0b, control | 0x80);
        int frequency = get(0x0a);
        set(0x0a, frequency | 0x70);
        int[][] values = {{9, 0x31}, {8, 0x12}, {7, 0x25}, {4, 0x10}, {2, 0x30}, {0, 0x15}, {0x32, 0x20}, {6, 0x05}};
        for (int[] value : values) {
            set(value[0], value[1]);
        }
        clock.advance(2 * SECOND);
        assertThat(get(0)).as("stands still").isEqualTo(0x15);
        set(0x0b, control);
        set(0x0a, frequency);
        clock.advance(SECOND / 2 - 1);
        assertThat(get(0)).isEqualTo(0x15);
        clock.advance(1);
        assertThat(get(0)).as("half a second after the divider started").isEqualTo(0x16);
        assertThat(new int[] {get(2), get(4), get(7), get(8), get(9)}).containsExactly(0x30, 0x10, 0x25, 0x12, 0x31);
    }

    @Test
    void uipWarnsBeforeTheUpdate() {
        clock.advance(SECOND - 2_228_001);
        assertThat(get(0x0a) & 0x80).isZero();
        clock.advance(1);
        assertThat(get(0x0a) & 0x80).isNotZero();
        assertThat(get(0)).isEqualTo(0x57);
        clock.advance(2_228_000);
        assertThat(get(0x0a) & 0x80).isZero();
        assertThat(get(0)).isEqualTo(0x58);
    }

    @Test
    void theUpdateInterruptComesEverySecond() {
        set(0x0b, 0x12);
        clock.advance(SECOND - 1);
        assertThat(irq8.high()).isFalse();
        clock.advance(1);
        assertThat(irq8.high()).isTrue();
        assertThat(get(0x0c) & ~0x40).isEqualTo(0x90);
        assertThat(irq8.high()).isFalse();
        assertThat(get(0x0c)).isZero();
        clock.advance(SECOND);
        assertThat(irq8.risingEdges()).isEqualTo(2);
    }

    @Test
    void theAlarmHonoursDoNotCare() {
        set(1, 0x59);
        set(3, 0xff);
        set(5, 0xc0);
        set(0x0b, 0x22);
        clock.advance(2 * SECOND - 1);
        assertThat(irq8.high()).isFalse();
        clock.advance(1);
        assertThat(get(0x0c) & ~0x40).isEqualTo(0xb0);
        clock.advance(60 * SECOND - 1);
        assertThat(irq8.high()).isFalse();
        clock.advance(1);
        assertThat(irq8.high()).isTrue();
    }

    @Test
    void theAlarmOfTomorrowAndTheImpossibleOne() {
        set(1, 0x00);
        set(3, 0x30);
        set(5, 0x07);
        set(0x0b, 0x22);
        clock.advance((3 + 7 * 3600 + 30 * 60) * SECOND - 1);
        assertThat(irq8.high()).isFalse();
        clock.advance(1);
        assertThat(irq8.high()).isTrue();
        get(0x0c);
        set(3, 0x75);
        clock.advance(2 * 86_400 * SECOND);
        assertThat(irq8.high()).isFalse();
    }

    @Test
    void thePeriodicInterruptKeepsItsRate() {
        set(0x0b, 0x42);
        int interrupts = 0;
        for (int i = 0; i < 10_000; i++) {
            clock.advance(100_000);
            if (irq8.high()) {
                interrupts++;
                assertThat(get(0x0c) & 0xc0).isEqualTo(0xc0);
            }
        }
        assertThat(interrupts).as("1024 Hz for a second").isBetween(1023, 1024);
        set(0x0a, 0x20);
        get(0x0c);
        clock.advance(SECOND);
        assertThat(irq8.high()).isFalse();
    }

    @Test
    void flagsAreSetWithoutInterruptsToo() {
        clock.advance(SECOND);
        assertThat(get(0x0c)).isEqualTo(0x50);
    }

    @Test
    void cmosTellsTheMachine() {
        assertThat(get(0x15) | get(0x16) << 8).isEqualTo(640);
        assertThat(get(0x17) | get(0x18) << 8).isEqualTo(0xffff);
        assertThat((get(0x34) | get(0x35) << 8) << 16).isEqualTo((3 << 30) - (16 << 20));
        assertThat((long) (get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16) << 16).isEqualTo(5L << 30);
        assertThat(get(0x5f)).isEqualTo(3);
        assertThat(get(0x0d)).isEqualTo(0x80);
    }

    @Test
    void theSecondBankIsMemoryAndSurvivesReset() {
        rtc.write(2, 1, 0x15);
        rtc.write(3, 1, 0xab);
        set(0x0f, 0x0a);
        set(0x0b, 0x42);
        rtc.reset();
        assertThat(get(0x0f)).isEqualTo(0x0a);
        assertThat(get(0x0b)).isEqualTo(0x02);
        rtc.write(2, 1, 0x15);
        assertThat(rtc.read(3, 1)).isEqualTo(0xab);
    }

    @Test
    void nonsenseInTheClockRegistersIsSurvived() {
        for (int value : new int[] {0xff, 0x00, 0x9a}) {
            for (int register : new int[] {0, 2, 4, 6, 7, 8, 9, 0x32}) {
                set(register, value);
            }
            clock.advance(SECOND);
            assertThat(get(8)).isBetween(0x01, 0x12);
        }
    }
}
