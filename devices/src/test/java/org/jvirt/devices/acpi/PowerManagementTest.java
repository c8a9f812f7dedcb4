package org.jvirt.devices.acpi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;

final class PowerManagementTest {
    private static final int PWRBTN = 0x100;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine sci = new RecordingLine();
    private final RecordingPower power = new RecordingPower();
    private final PowerManagement pm = new PowerManagement(clock, sci, power, false);

    private void acpiMode() {
        pm.apmPorts().write(0, 1, PowerManagement.ACPI_ENABLE);
    }

    @Test
    void theTimerCountsAt3579545Hertz() {
        clock.advance(1_000_000_000);
        assertThat(pm.read(PowerManagement.PM1_TMR, 4)).isEqualTo(3_579_545);
        clock.advance(4_000_000_000L);
        assertThat(pm.read(PowerManagement.PM1_TMR, 4)).isEqualTo(5 * 3_579_545 & 0xff_ffff);
        var wide = new PowerManagement(clock, sci, power, true);
        assertThat(wide.read(PowerManagement.PM1_TMR, 4)).isEqualTo(5 * 3_579_545);
        assertThat(wide.read(PowerManagement.PM1_TMR + 2, 2) & 0xffff).isEqualTo(5 * 3_579_545 >> 16);
    }

    @Test
    void theTimersHighestBitRaisesTheSci() {
        acpiMode();
        pm.write(PowerManagement.PM1_EN, 2, 1);
        long half = PowerManagement.TIMER_RATE.nanosAt(1 << 23);
        clock.advance(half - 1);
        assertThat(sci.high()).isFalse();
        clock.advance(1);
        assertThat(sci.high()).isTrue();
        pm.write(PowerManagement.PM1_STS, 2, 1);
        assertThat(sci.high()).isFalse();
        clock.advance(half + 1);
        assertThat(sci.risingEdges()).isEqualTo(2);
    }

    @Test
    void thePowerButtonReachesAListeningGuest() {
        assertThat(pm.pressPowerButton()).isFalse();
        pm.write(PowerManagement.PM1_STS, 2, 0xffff);
        acpiMode();
        assertThat(pm.read(PowerManagement.PM1_CNT, 2) & 1).isEqualTo(1);
        pm.write(PowerManagement.PM1_EN, 2, PWRBTN);
        assertThat(sci.high()).isFalse();
        assertThat(pm.pressPowerButton()).isTrue();
        assertThat(sci.high()).isTrue();
        assertThat(pm.read(PowerManagement.PM1_STS, 2) & PWRBTN).isNotZero();
        pm.write(PowerManagement.PM1_STS + 1, 1, 1);
        assertThat(sci.high()).isFalse();
    }

    @Test
    void generalPurposeEventsRaiseTheSci() {
        acpiMode();
        pm.write(PowerManagement.GPE0_EN + 4, 1, 0x02);
        pm.raiseEvent(33);
        assertThat(sci.high()).isTrue();
        assertThat(pm.read(PowerManagement.GPE0_STS, 8)).isEqualTo(1L << 33);
        pm.write(PowerManagement.GPE0_STS + 4, 4, 2);
        assertThat(sci.high()).isFalse();
    }

    @Test
    void sleepTypeS5PowersOff() {
        pm.write(PowerManagement.PM1_CNT, 2, 0x2000);
        assertThat(power.take()).containsExactly("power off");
        pm.write(PowerManagement.PM1_CNT, 4, 0x2000 | 7 << 10 | 1);
        assertThat(power.take()).containsExactly("power off");
        assertThat(pm.read(PowerManagement.PM1_CNT, 4)).as("SLP_EN reads 0").isEqualTo(7 << 10 | 1);
    }

    @Test
    void otherSleepTypesWakeAtOnce() {
        pm.write(PowerManagement.PM1_CNT, 2, 0x2000 | 1 << 10);
        assertThat(power.take()).isEmpty();
        assertThat(pm.read(PowerManagement.PM1_STS, 2) & 0x8000).isNotZero();
    }

    @Test
    void resetLeavesAcpiMode() {
        acpiMode();
        pm.write(PowerManagement.PM1_EN, 2, PWRBTN);
        pm.pressPowerButton();
        pm.reset();
        assertThat(sci.high()).isFalse();
        assertThat(pm.read(PowerManagement.PM1_STS, 4)).isZero();
        assertThat(pm.read(PowerManagement.PM1_CNT, 2)).isZero();
    }

    @Test
    void theResetRegisterActsOnTheRisingBit() {
        var control = new ResetControl(power);
        control.write(0, 1, 2);
        assertThat(power.take()).isEmpty();
        control.write(0, 1, 6);
        control.write(0, 1, 6);
        assertThat(power.take()).containsExactly("reset");
        assertThat(control.read(0, 1)).isEqualTo(6);
    }
}
