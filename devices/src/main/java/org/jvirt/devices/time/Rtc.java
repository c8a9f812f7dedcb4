package org.jvirt.devices.time;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.VmClock;
import org.jvirt.devices.ByteDevice;
import org.jvirt.devices.TickRate;

/// The real-time clock with 256 bytes of CMOS memory, ports 0x70–0x73: an MC146818 with a century byte at 0x32 and,
/// as in ICH9, a second bank. Port 0x70 bit 7 (NMI mask) has no effect.
///
/// It shows the wall clock of [VmClock], moved by what the guest has set. An update takes 2.228 ms before each full
/// second, in which UIP reads 1. Flags are computed when somebody looks; an alarm runs only for enabled interrupts.
///
/// Thread-safe: one lock, held while the line is driven.
public final class Rtc implements ByteDevice, Snapshottable<RtcState> {
    private static final int REG_A = 0x0a;
    private static final int REG_B = 0x0b;
    private static final int REG_C = 0x0c;
    private static final int REG_D = 0x0d;

    private static final int A_UIP = 0x80;
    private static final int A_DIVIDER_RESET = 0x60;
    private static final int A_RATE = 0x0f;

    private static final int B_SET = 0x80;
    private static final int B_SQWE = 0x08;

    /// Interrupt enables of register B and flags of register C share their places.
    private static final int PERIODIC = 0x40;

    private static final int ALARM = 0x20;
    private static final int UPDATE = 0x10;
    private static final int C_IRQF = 0x80;

    private static final int D_VALID = 0x80;

    private static final long SECOND = 1_000_000_000L;
    /// 244 µs of warning and 1984 µs of update.
    private static final long UPDATE_NANOS = 2_228_000;

    private static final TickRate CRYSTAL = TickRate.hz(32_768);

    private final VmClock clock;
    private final InterruptLine irq8;
    private final VmClock.Timer alarm;
    private final byte[] cmos = new byte[256];
    private int index;
    private int extendedIndex;
    private long offsetNanos;
    private int dayShift;
    private int flags;
    private long seenSecond;
    private long seenPeriod;

    /// @param offsetNanos how far the clock is ahead of UTC: 0, or the time zone for guests that expect local time
    public Rtc(VmClock clock, InterruptLine irq8, long offsetNanos, CmosSettings settings) {
        this.clock = clock;
        this.irq8 = irq8;
        this.offsetNanos = offsetNanos;
        settings.applyTo(cmos);
        cmos[REG_A] = 0x26;
        cmos[REG_B] = RtcTime.B_24H;
        seenSecond = Math.floorDiv(rtcNanos(), SECOND);
        seenPeriod = period();
        alarm = clock.timer("rtc", this::expired);
    }

    public Rtc(VmClock clock, InterruptLine irq8, RtcState saved) {
        this.clock = clock;
        this.irq8 = irq8;
        for (int i = 0; i < cmos.length; i++) {
            cmos[i] = saved.cmos().get(i);
        }
        index = saved.index();
        extendedIndex = saved.extendedIndex();
        offsetNanos = saved.offsetNanos();
        dayShift = saved.dayShift();
        flags = saved.flags();
        seenSecond = saved.seenSecond();
        seenPeriod = saved.seenPeriod();
        alarm = clock.timer("rtc", this::expired);
        synchronized (this) {
            updateLocked();
        }
    }

    @Override
    public String id() {
        return "rtc";
    }

    @Override
    public synchronized RtcState save() {
        noteTimeLocked();
        List<Byte> bytes = new ArrayList<>(cmos.length);
        for (byte b : cmos) {
            bytes.add(b);
        }
        return new RtcState(index, extendedIndex, bytes, offsetNanos, dayShift, flags, seenSecond, seenPeriod);
    }

    /// Bus reset: interrupts off; the time and the memory stay.
    public synchronized void reset() {
        index = 0;
        extendedIndex = 0;
        flags = 0;
        setRegisterB(cmos[REG_B] & ~(B_SET | PERIODIC | ALARM | UPDATE | B_SQWE));
        updateLocked();
    }

    @Override
    public synchronized int readByte(int offset) {
        return switch (offset & 3) {
            case 0 -> index;
            case 1 -> readRegister(index);
            case 2 -> extendedIndex;
            default -> cmos[128 | extendedIndex] & 0xff;
        };
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        switch (offset & 3) {
            case 0 -> index = value & 0x7f;
            case 1 -> {
                writeRegister(index, value);
                updateLocked();
            }
            case 2 -> extendedIndex = value & 0x7f;
            default -> cmos[128 | extendedIndex] = (byte) value;
        }
    }

    private int readRegister(int register) {
        switch (register) {
            case REG_A -> {
                boolean updating = !isStopped() && Math.floorMod(rtcNanos(), SECOND) >= SECOND - UPDATE_NANOS;
                return cmos[REG_A] & 0x7f | (updating ? A_UIP : 0);
            }
            case REG_C -> {
                noteTimeLocked();
                int value = flags | (interrupts() ? C_IRQF : 0);
                flags = 0;
                updateLocked();
                return value;
            }
            case REG_D -> {
                return D_VALID;
            }
            default -> {
                if (RtcTime.isClock(register) && !isStopped()) {
                    showTime();
                }
                return cmos[register] & 0xff;
            }
        }
    }

    private void writeRegister(int register, int value) {
        noteTimeLocked();
        switch (register) {
            case REG_A -> setRegisterA(value & 0x7f);
            case REG_B -> setRegisterB(value);
            case REG_C, REG_D -> {
                // Read-only.
            }
            default -> {
                boolean sets = RtcTime.isClock(register) && !isStopped();
                if (sets) {
                    showTime();
                }
                cmos[register] = (byte) value;
                if (sets) {
                    takeTime();
                }
            }
        }
    }

    private void setRegisterA(int value) {
        boolean wasStopped = isStopped();
        boolean wasHeld = isHeld();
        if (!wasStopped) {
            showTime();
        }
        cmos[REG_A] = (byte) value;
        seenPeriod = period();
        if (wasHeld && !isHeld()) {
            // The first update comes half a second after the divider chain starts.
            offsetNanos += SECOND / 2 - Math.floorMod(rtcNanos(), SECOND);
        }
        if (wasStopped && !isStopped()) {
            takeTime();
        }
    }

    private void setRegisterB(int value) {
        boolean wasStopped = isStopped();
        if (!wasStopped) {
            showTime();
        }
        // SET stops updates and takes their interrupt enable away.
        cmos[REG_B] = (byte) ((value & B_SET) != 0 ? value & ~UPDATE : value);
        if (wasStopped && !isStopped()) {
            takeTime();
        }
    }

    /// The divider chain is held in reset.
    private boolean isHeld() {
        return (cmos[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
    }

    private boolean isStopped() {
        return (cmos[REG_B] & B_SET) != 0 || isHeld();
    }

    private long rtcNanos() {
        return clock.wallNanos() + offsetNanos;
    }

    private void showTime() {
        RtcTime.encode(cmos, cmos[REG_B], Math.floorDiv(rtcNanos(), SECOND), dayShift);
    }

    /// Makes the clock registers the time, keeping the fraction of the second.
    private void takeTime() {
        long seconds = RtcTime.decode(cmos, cmos[REG_B]);
        dayShift = RtcTime.dayShift(cmos, cmos[REG_B], seconds);
        offsetNanos += (seconds - Math.floorDiv(rtcNanos(), SECOND)) * SECOND;
        seenSecond = seconds;
    }

    // ---- flags and interrupts

    /// Ticks of the crystal in a period, 0 for none.
    private long periodTicks() {
        int rate = cmos[REG_A] & A_RATE;
        if (rate == 0 || isHeld()) {
            return 0;
        }
        // Rates 1 and 2 are 256 Hz and 128 Hz, as 8 and 9.
        return 1L << (rate < 3 ? rate + 6 : rate - 1);
    }

    private long period() {
        long ticks = periodTicks();
        return ticks == 0 ? 0 : CRYSTAL.ticksAt(clock.nanos()) / ticks;
    }

    private void noteTimeLocked() {
        if (!isStopped()) {
            long second = Math.floorDiv(rtcNanos(), SECOND);
            if (second > seenSecond) {
                flags |= UPDATE;
                if (RtcTime.nextAlarm(cmos, cmos[REG_B], seenSecond) <= second) {
                    flags |= ALARM;
                }
            }
            seenSecond = second;
        }
        long period = period();
        if (period > seenPeriod) {
            flags |= PERIODIC;
        }
        seenPeriod = period;
    }

    private boolean interrupts() {
        return (flags & cmos[REG_B] & (PERIODIC | ALARM | UPDATE)) != 0;
    }

    private synchronized void expired() {
        updateLocked();
    }

    /// Drives the line, and while it is low arms the alarm for what would raise it next.
    private void updateLocked() {
        noteTimeLocked();
        boolean raised = interrupts();
        irq8.set(raised);
        long wait = raised ? Long.MAX_VALUE : nanosToNextInterrupt();
        if (wait == Long.MAX_VALUE) {
            alarm.cancel();
        } else {
            alarm.arm(clock.nanos() + wait);
        }
    }

    private long nanosToNextInterrupt() {
        long wait = Long.MAX_VALUE;
        int enabled = cmos[REG_B];
        if (!isStopped()) {
            long now = rtcNanos();
            if ((enabled & UPDATE) != 0) {
                wait = (seenSecond + 1) * SECOND - now;
            } else if ((enabled & ALARM) != 0) {
                long second = RtcTime.nextAlarm(cmos, enabled, seenSecond);
                wait = second == Long.MAX_VALUE ? wait : second * SECOND - now;
            }
        }
        long ticks = periodTicks();
        if ((enabled & PERIODIC) != 0 && ticks != 0) {
            wait = Math.min(wait, CRYSTAL.nanosAt((seenPeriod + 1) * ticks) - clock.nanos());
        }
        return wait;
    }
}
