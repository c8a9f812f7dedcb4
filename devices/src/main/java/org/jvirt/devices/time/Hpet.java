package org.jvirt.devices.time;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.MsiSink;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.VmClock;
import org.jvirt.devices.TickRate;

/// The high precision event timers: a 64-bit counter and 3 to 32 comparators, each one-shot or periodic, 64 or 32
/// bits, with edge, level or message interrupts. Mapped at [#GPA].
///
/// With legacy replacement on, comparators 0 and 1 take the wires of the 8254 and the real-time clock; these two
/// drive [#pitInput] and [#rtcInput], which pass through otherwise.
///
/// A comparator matches when the counter becomes equal to it: one that is already behind waits for the counter to
/// wrap. Matches more often than every 20 µs are merged.
///
/// Thread-safe: one lock, held while lines are driven and messages sent.
public final class Hpet implements IoDevice, Snapshottable<HpetState> {
    /// The place firmware and tables name.
    public static final long GPA = 0xfed0_0000L;

    public static final int BYTES = 0x400;

    /// 14.318180 MHz, as in ICH9.
    public static final long PERIOD_FEMTOS_ICH9 = 69_841_279;

    /// 100 MHz, the fastest that the specification asks for, in whole nanoseconds.
    public static final long PERIOD_FEMTOS_10_NS = 10_000_000;

    private static final int GCAP_ID = 0x000;
    private static final int GEN_CONF = 0x010;
    private static final int GINTR_STA = 0x020;
    private static final int MAIN_CNT = 0x0f0;
    private static final int TIMERS = 0x100;
    private static final int TIMER_BYTES = 0x20;
    private static final int TIMER_CONF = 0x00;
    private static final int TIMER_COMP = 0x08;
    private static final int TIMER_FSB = 0x10;

    private static final int ENABLE_CNF = 1;
    private static final int LEG_RT_CNF = 2;

    /// The IO-APIC inputs a comparator may choose: 20–23.
    private static final int ROUTES = 0x00f0_0000;

    private static final int PIT_GSI = 0;
    private static final int RTC_GSI = 8;
    private static final long MIN_PERIOD_NANOS = 20_000;

    private final VmClock clock;
    private final TickRate rate;
    private final long periodFemtos;
    private final MsiSink msi;
    private final InterruptLine[] lines = new InterruptLine[24];
    private final HpetTimer[] timers;
    private final LegacyInput pitInput = new LegacyInput(PIT_GSI);
    private final LegacyInput rtcInput = new LegacyInput(RTC_GSI);
    private Consumer<Boolean> onLegacyReplacement = _ -> {};
    private long config;
    private int status;
    private long counter;

    /// @param timerCount   3 to 32
    /// @param periodFemtos of the main counter, 1 ns to 100 ns; [#PERIOD_FEMTOS_10_NS] or [#PERIOD_FEMTOS_ICH9]
    /// @param gsi          makes the timer's own driver of a wire; asked once each for 0, 8 and 20–23
    public Hpet(VmClock clock, int timerCount, long periodFemtos, IntFunction<InterruptLine> gsi, MsiSink msi) {
        if (timerCount < 3 || timerCount > 32 || periodFemtos < 1_000_000 || periodFemtos > 100_000_000) {
            throw new IllegalArgumentException(
                    "HPET: %d timers of %d fs; 3–32 of 10⁶–10⁸ fs are possible".formatted(timerCount, periodFemtos));
        }
        this.clock = clock;
        this.periodFemtos = periodFemtos;
        this.msi = msi;
        rate = new TickRate(1_000_000, periodFemtos);
        for (int i = 0; i < lines.length; i++) {
            lines[i] = i == PIT_GSI || i == RTC_GSI || (ROUTES & 1 << i) != 0 ? gsi.apply(i) : high -> {};
        }
        timers = new HpetTimer[timerCount];
        for (int i = 0; i < timerCount; i++) {
            int index = i;
            timers[i] = new HpetTimer(i, clock.timer("hpet" + i, () -> expired(index)));
        }
    }

    public Hpet(VmClock clock, long periodFemtos, IntFunction<InterruptLine> gsi, MsiSink msi, HpetState saved) {
        this(clock, saved.timers().size(), periodFemtos, gsi, msi);
        synchronized (this) {
            config = saved.config();
            status = saved.status();
            counter = saved.counter();
            pitInput.level = saved.pitLevel();
            rtcInput.level = saved.rtcLevel();
            for (HpetTimer timer : timers) {
                timer.load(saved.timers().get(timer.index));
                if (timer.due() >= 0) {
                    armLocked(timer, 0);
                }
            }
            driveAllLocked();
        }
    }

    /// Whom to tell whether interrupt 0 belongs to the HPET (legacy replacement): now, and whenever that changes.
    /// For an 8254 that is not at [#pitInput]. Called with the lock held.
    public synchronized void onLegacyReplacement(Consumer<Boolean> listener) {
        onLegacyReplacement = listener;
        listener.accept(isLegacy());
    }

    @Override
    public String id() {
        return "hpet";
    }

    @Override
    public synchronized HpetState save() {
        return new HpetState(
                config,
                status,
                counter,
                pitInput.level,
                rtcInput.level,
                Arrays.stream(timers).map(HpetTimer::save).toList());
    }

    public synchronized void reset() {
        setConfigLocked(0);
        status = 0;
        counter = 0;
        for (HpetTimer timer : timers) {
            timer.reset();
        }
        driveAllLocked();
    }

    /// What the 8254's channel 0 drives in place of interrupt 0.
    public InterruptLine pitInput() {
        return pitInput;
    }

    /// What the real-time clock drives in place of interrupt 8.
    public InterruptLine rtcInput() {
        return rtcInput;
    }

    private final class LegacyInput implements InterruptLine {
        private final int gsi;
        private boolean level;

        LegacyInput(int gsi) {
            this.gsi = gsi;
        }

        @Override
        public void set(boolean high) {
            synchronized (Hpet.this) {
                level = high;
                if (!isLegacy()) {
                    lines[gsi].set(high);
                }
            }
        }
    }

    // ---- registers

    @Override
    public synchronized long read(long offset, int size) {
        int register = (int) offset & ~7;
        int shift = 8 * ((int) offset & 7);
        return readLocked(register) >>> shift;
    }

    private long readLocked(int register) {
        return switch (register) {
            case GCAP_ID -> periodFemtos << 32 | 0x8086L << 16 | 1 << 15 | 1 << 13 | timers.length - 1 << 8 | 1;
            case GEN_CONF -> config;
            case GINTR_STA -> status;
            case MAIN_CNT -> counterLocked();
            default -> {
                int index = (register - TIMERS) / TIMER_BYTES;
                if (register < TIMERS || index >= timers.length) {
                    yield 0;
                }
                HpetTimer timer = timers[index];
                yield switch (register & TIMER_BYTES - 1) {
                    case TIMER_CONF ->
                        (long) ROUTES << 32
                                | HpetTimer.PERIODIC_CAP
                                | HpetTimer.SIZE_CAP
                                | HpetTimer.FSB_CAP
                                | timer.config() & ~HpetTimer.VAL_SET;
                    case TIMER_COMP -> timer.comparator(counterLocked());
                    case TIMER_FSB -> timer.route();
                    default -> 0;
                };
            }
        };
    }

    /// 32 and 64-bit accesses at their natural places; others are lost, as the specification allows.
    @Override
    public synchronized void write(long offset, int size, long value) {
        int register = (int) offset & ~7;
        int shift = 8 * ((int) offset & 7);
        if (size < 4 || (offset & size - 1) != 0) {
            return;
        }
        long mask = size == 8 ? -1L : 0xffff_ffffL << shift;
        long bits = value << shift & mask;
        switch (register) {
            case GEN_CONF -> writeConfigLocked(config & ~mask | bits);
            case GINTR_STA -> {
                status &= ~(int) bits;
                driveAllLocked();
            }
            case MAIN_CNT -> {
                if (!isCounting()) {
                    counter = counter & ~mask | bits;
                }
            }
            default -> {
                int index = (register - TIMERS) / TIMER_BYTES;
                if (register >= TIMERS && index < timers.length) {
                    writeTimerLocked(timers[index], register & TIMER_BYTES - 1, mask, bits);
                }
            }
        }
    }

    private void writeConfigLocked(long value) {
        boolean was = isCounting();
        long now = counterLocked();
        setConfigLocked(value & (ENABLE_CNF | LEG_RT_CNF));
        if (isCounting() != was) {
            counter = isCounting() ? now - ticks() : now;
        }
        for (HpetTimer timer : timers) {
            if (isCounting() != was) {
                scheduleLocked(timer);
            }
        }
        driveAllLocked();
    }

    private void setConfigLocked(long value) {
        boolean was = isLegacy();
        config = value;
        if (isLegacy() != was) {
            onLegacyReplacement.accept(isLegacy());
        }
    }

    private void writeTimerLocked(HpetTimer timer, int register, long mask, long bits) {
        switch (register) {
            case TIMER_CONF -> {
                timer.setConfig((int) (timer.config() & ~mask | bits) & HpetTimer.WRITABLE);
                if (!timer.is(HpetTimer.INT_TYPE_LEVEL)) {
                    status &= ~(1 << timer.index);
                }
                scheduleLocked(timer);
                driveAllLocked();
            }
            case TIMER_COMP -> {
                timer.setComparator(timer.comparator(counterLocked()) & ~mask | bits);
                scheduleLocked(timer);
            }
            case TIMER_FSB -> timer.setRoute(timer.route() & ~mask | bits);
            default -> {
                // No register.
            }
        }
    }

    // ---- time

    private boolean isCounting() {
        return (config & ENABLE_CNF) != 0;
    }

    private boolean isLegacy() {
        return (config & LEG_RT_CNF) != 0;
    }

    private long ticks() {
        return rate.ticksAt(clock.nanos());
    }

    private long counterLocked() {
        return isCounting() ? counter + ticks() : counter;
    }

    private void scheduleLocked(HpetTimer timer) {
        if (isCounting() && timer.is(HpetTimer.INT_ENB) && timer.chooseDue(counterLocked(), ticks()) >= 0) {
            armLocked(timer, 0);
        } else {
            timer.stop();
        }
    }

    private void armLocked(HpetTimer timer, long earliestNanos) {
        timer.alarm.arm(Math.max(rate.nanosAt(timer.due()), earliestNanos));
    }

    private synchronized void expired(int index) {
        HpetTimer timer = timers[index];
        if (timer.due() < 0 || !isCounting()) {
            return;
        }
        long tick = ticks();
        if (tick < timer.due()) {
            armLocked(timer, 0);
            return;
        }
        timer.passed(counter + tick);
        interruptLocked(timer);
        if (timer.chooseDue(counter + tick, tick) >= 0) {
            armLocked(timer, clock.nanos() + MIN_PERIOD_NANOS);
        }
    }

    private void interruptLocked(HpetTimer timer) {
        if (timer.is(HpetTimer.FSB_EN)) {
            msi.send(timer.route() >>> 32, (int) timer.route());
        } else if (timer.is(HpetTimer.INT_TYPE_LEVEL)) {
            status |= 1 << timer.index;
            driveAllLocked();
        } else {
            InterruptLine line = lines[gsiOf(timer)];
            line.set(false);
            line.set(true);
            driveAllLocked();
        }
    }

    /// The wire of a timer; where the chosen input is none of the possible ones, one that nothing is connected to.
    private int gsiOf(HpetTimer timer) {
        if (isLegacy() && timer.index < 2) {
            return timer.index == 0 ? PIT_GSI : RTC_GSI;
        }
        int input = timer.input();
        return (ROUTES & 1 << input) != 0 && input < lines.length ? input : 1;
    }

    private void driveAllLocked() {
        int high = 0;
        if (!isLegacy()) {
            high = (pitInput.level ? 1 << PIT_GSI : 0) | (rtcInput.level ? 1 << RTC_GSI : 0);
        }
        for (HpetTimer timer : timers) {
            if ((status & 1 << timer.index) != 0 && timer.is(HpetTimer.INT_ENB) && !timer.is(HpetTimer.FSB_EN)) {
                high |= 1 << gsiOf(timer);
            }
        }
        for (int i = 0; i < lines.length; i++) {
            lines[i].set((high & 1 << i) != 0);
        }
    }
}
