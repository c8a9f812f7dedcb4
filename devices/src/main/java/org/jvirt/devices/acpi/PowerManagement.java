package org.jvirt.devices.acpi;

import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.PowerControl;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.VmClock;
import org.jvirt.devices.ByteDevice;
import org.jvirt.devices.TickRate;

/// ICH9's power management block of 128 ports at PMBASE:
///
/// ```
/// 0x00 PM1_STS (16)   0x02 PM1_EN (16)   0x04 PM1_CNT (32)   0x08 PM1_TMR (32)
/// 0x20 GPE0_STS (64)  0x28 GPE0_EN (64)  0x30 SMI_EN (32)    0x34 SMI_STS (32)
/// ```
///
/// SLP_EN with SLP_TYP [#SLP_TYP_S5], or with 7 as ICH9 itself has it, powers off; other sleep types wake at once.
/// There is no system management mode: SMI_EN is storage.
///
/// Thread-safe: one lock, held while the SCI is driven.
public final class PowerManagement implements IoDevice, Snapshottable<PowerManagementState> {
    /// The size of the block.
    public static final int BLOCK_BYTES = 128;

    /// The PM timer's oscillator.
    public static final TickRate TIMER_RATE = TickRate.hz(3_579_545);

    /// What the DSDT's `\_S5` says: the value that PC firmware for virtual machines knows.
    public static final int SLP_TYP_S5 = 0;

    /// Written to APM_CNT: what the FADT calls ACPI_ENABLE and ACPI_DISABLE.
    public static final int ACPI_ENABLE = 2;

    public static final int ACPI_DISABLE = 3;

    public static final int PM1_STS = 0x00;
    public static final int PM1_EN = 0x02;
    public static final int PM1_CNT = 0x04;
    public static final int PM1_TMR = 0x08;
    public static final int GPE0_STS = 0x20;
    public static final int GPE0_EN = 0x28;
    public static final int SMI_EN = 0x30;

    private static final int TMR_STS = 1;
    private static final int PWRBTN_STS = 1 << 8;
    private static final int WAK_STS = 1 << 15;
    /// TMR, GBL, PWRBTN, SLPBTN, RTC, PCIEXP_WAKE, WAK.
    private static final int PM1_STS_BITS = 0xc721;
    /// TMR, GBL, PWRBTN, SLPBTN, RTC, PCIEXP_WAKE_DIS.
    private static final int PM1_EN_BITS = 0x4721;

    private static final int SCI_EN = 1;
    private static final int SLP_EN = 1 << 13;
    /// SCI_EN, BM_RLD, SLP_TYP.
    private static final int PM1_CNT_BITS = 0x1c03;

    private static final int ICH9_SLP_TYP_S5 = 7;

    private final VmClock clock;
    private final InterruptLine sci;
    private final PowerControl power;
    private final VmClock.Timer alarm;
    private final boolean wideTimer;

    private int pm1Status;
    private int pm1Enable;
    private int pm1Control;
    private long gpe0Status;
    private long gpe0Enable;
    private int smiEnable;
    private long timerSeen;
    private int apm;

    /// @param sci       the system control interrupt, level-triggered
    /// @param wideTimer whether the PM timer counts 32 bits (TMR_VAL_EXT in the FADT) instead of 24
    public PowerManagement(VmClock clock, InterruptLine sci, PowerControl power, boolean wideTimer) {
        this(clock, sci, power, wideTimer, PowerManagementState.RESET);
    }

    public PowerManagement(
            VmClock clock, InterruptLine sci, PowerControl power, boolean wideTimer, PowerManagementState saved) {
        this.clock = clock;
        this.sci = sci;
        this.power = power;
        this.wideTimer = wideTimer;
        pm1Status = saved.pm1Status();
        pm1Enable = saved.pm1Enable();
        pm1Control = saved.pm1Control();
        gpe0Status = saved.gpe0Status();
        gpe0Enable = saved.gpe0Enable();
        smiEnable = saved.smiEnable();
        timerSeen = saved.timerSeen();
        apm = saved.apm();
        alarm = clock.timer("pm-timer", this::timerOverflowed);
        synchronized (this) {
            updateLocked();
        }
    }

    @Override
    public String id() {
        return "power-management";
    }

    @Override
    public synchronized PowerManagementState save() {
        return new PowerManagementState(
                pm1Status, pm1Enable, pm1Control, gpe0Status, gpe0Enable, smiEnable, timerSeen, apm);
    }

    public synchronized void reset() {
        pm1Status = 0;
        pm1Enable = 0;
        pm1Control = 0;
        gpe0Status = 0;
        gpe0Enable = 0;
        smiEnable = 0;
        timerSeen = overflowsLocked();
        apm = 0;
        updateLocked();
    }

    /// Presses the power button; answers whether the guest listens for it.
    public synchronized boolean pressPowerButton() {
        pm1Status |= PWRBTN_STS;
        updateLocked();
        return (pm1Control & SCI_EN) != 0 && (pm1Enable & PWRBTN_STS) != 0;
    }

    /// Sets a bit of GPE0_STS, as an event does.
    ///
    /// @param event 0–63
    public synchronized void raiseEvent(int event) {
        gpe0Status |= 1L << event;
        updateLocked();
    }

    /// Ports 0xB2–0xB3, APM_CNT and APM_STS: what the FADT calls SMI_CMD.
    public IoDevice apmPorts() {
        return new Apm();
    }

    @Override
    public synchronized long read(long offset, int size) {
        long value = 0;
        for (int i = 0; i < size; ) {
            int at = (int) offset + i;
            int word = at & ~3;
            int skip = at & 3;
            value |= (readWordLocked(word) & 0xffff_ffffL) >>> 8 * skip << 8 * i;
            i += 4 - skip;
        }
        return value;
    }

    private int readWordLocked(int offset) {
        return switch (offset) {
            case PM1_STS -> {
                noteOverflowsLocked();
                yield pm1Status | pm1Enable << 16;
            }
            case PM1_CNT -> pm1Control;
            case PM1_TMR -> timerValue();
            case GPE0_STS -> (int) gpe0Status;
            case GPE0_STS + 4 -> (int) (gpe0Status >>> 32);
            case GPE0_EN -> (int) gpe0Enable;
            case GPE0_EN + 4 -> (int) (gpe0Enable >>> 32);
            case SMI_EN -> smiEnable;
            default -> 0;
        };
    }

    /// The PM timer as the guest reads it.
    private int timerValue() {
        int ticks = (int) TIMER_RATE.ticksAt(clock.nanos());
        return wideTimer ? ticks : ticks & 0xff_ffff;
    }

    @Override
    public void write(long offset, int size, long value) {
        boolean sleeps = false;
        synchronized (this) {
            for (int i = 0; i < size; i++) {
                sleeps |= writeByteLocked((int) offset + i, (int) (value >>> 8 * i) & 0xff);
            }
            updateLocked();
        }
        if (sleeps) {
            enterSleep();
        }
    }

    /// Answers whether the byte had SLP_EN.
    private boolean writeByteLocked(int offset, int value) {
        int shift = 8 * (offset & 1);
        if (offset >= GPE0_STS && offset < GPE0_EN) {
            gpe0Status &= ~((long) value << 8 * (offset - GPE0_STS));
        } else if (offset >= GPE0_EN && offset < SMI_EN) {
            gpe0Enable = replace(gpe0Enable, 8 * (offset - GPE0_EN), value);
        } else if (offset >= SMI_EN && offset < SMI_EN + 4) {
            smiEnable = (int) replace(smiEnable, 8 * (offset - SMI_EN), value);
        } else {
            switch (offset & ~1) {
                case PM1_STS -> {
                    noteOverflowsLocked();
                    pm1Status &= ~(value << shift);
                }
                case PM1_EN -> pm1Enable = (int) replace(pm1Enable, shift, value) & PM1_EN_BITS;
                case PM1_CNT -> {
                    int written = (int) replace(pm1Control, shift, value);
                    pm1Control = written & PM1_CNT_BITS;
                    return shift != 0 && (written & SLP_EN) != 0;
                }
                default -> {
                    // No register, or a read-only one.
                }
            }
        }
        return false;
    }

    private static long replace(long old, int shift, int value) {
        return old & ~(0xffL << shift) | (long) value << shift;
    }

    private void enterSleep() {
        int type;
        synchronized (this) {
            type = pm1Control >> 10 & 7;
        }
        if (type == SLP_TYP_S5 || type == ICH9_SLP_TYP_S5) {
            power.powerOff();
        } else {
            synchronized (this) {
                pm1Status |= WAK_STS;
                updateLocked();
            }
        }
    }

    // ---- TMR_STS: the highest bit of the timer changed

    private int overflowShift() {
        return wideTimer ? 31 : 23;
    }

    private long overflowsLocked() {
        return TIMER_RATE.ticksAt(clock.nanos()) >>> overflowShift();
    }

    private void noteOverflowsLocked() {
        long overflows = overflowsLocked();
        if (overflows != timerSeen) {
            timerSeen = overflows;
            pm1Status |= TMR_STS;
        }
    }

    private synchronized void timerOverflowed() {
        updateLocked();
    }

    /// Drives the SCI, and arms the alarm while an overflow of the timer would raise it.
    private void updateLocked() {
        noteOverflowsLocked();
        pm1Status &= PM1_STS_BITS;
        boolean event = (pm1Status & pm1Enable & PM1_EN_BITS & 0x3fff) != 0 || (gpe0Status & gpe0Enable) != 0;
        sci.set(event && (pm1Control & SCI_EN) != 0);
        if ((pm1Enable & TMR_STS) != 0 && (pm1Status & TMR_STS) == 0) {
            alarm.arm(TIMER_RATE.nanosAt(timerSeen + 1 << overflowShift()));
        } else {
            alarm.cancel();
        }
    }

    private final class Apm implements ByteDevice {
        @Override
        public int readByte(int offset) {
            synchronized (PowerManagement.this) {
                return apm >> 8 * offset & 0xff;
            }
        }

        @Override
        public void writeByte(int offset, int value) {
            synchronized (PowerManagement.this) {
                apm = (int) replace(apm, 8 * offset, value);
                if (offset == 0 && value == ACPI_ENABLE) {
                    pm1Control |= SCI_EN;
                } else if (offset == 0 && value == ACPI_DISABLE) {
                    pm1Control &= ~SCI_EN;
                }
                updateLocked();
            }
        }
    }
}
