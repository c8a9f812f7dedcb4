package org.jvirt.devices.time;

import org.jvirt.core.VmClock;

/// One comparator of the [Hpet], and guarded by its lock. `now` is the main counter.
final class HpetTimer {
    static final int INT_TYPE_LEVEL = 1 << 1;
    static final int INT_ENB = 1 << 2;
    static final int PERIODIC = 1 << 3;
    static final int PERIODIC_CAP = 1 << 4;
    static final int SIZE_CAP = 1 << 5;
    static final int VAL_SET = 1 << 6;
    static final int MODE_32 = 1 << 8;
    static final int FSB_EN = 1 << 14;
    static final int FSB_CAP = 1 << 15;
    static final int WRITABLE = INT_TYPE_LEVEL | INT_ENB | PERIODIC | VAL_SET | MODE_32 | 0x1f << 9 | FSB_EN;

    static final long MASK_32 = 0xffff_ffffL;

    final int index;
    final VmClock.Timer alarm;
    private int config;
    private long comparator = -1;
    private long period;
    private long route;
    /// Tick of the oscillator at the match waited for, -1 for none.
    private long due = -1;

    HpetTimer(int index, VmClock.Timer alarm) {
        this.index = index;
        this.alarm = alarm;
    }

    void load(HpetState.TimerState s) {
        config = s.config();
        comparator = s.comparator();
        period = s.period();
        route = s.route();
        due = s.due();
    }

    HpetState.TimerState save() {
        return new HpetState.TimerState(config, comparator, period, route, due);
    }

    void reset() {
        config = 0;
        comparator = -1;
        period = 0;
        route = 0;
        due = -1;
        alarm.cancel();
    }

    boolean is(int bit) {
        return (config & bit) != 0;
    }

    int config() {
        return config;
    }

    void setConfig(int value) {
        config = value;
        if (is(MODE_32)) {
            comparator &= MASK_32;
            period &= MASK_32;
        }
    }

    /// The IO-APIC input chosen.
    int input() {
        return config >> 9 & 0x1f;
    }

    long route() {
        return route;
    }

    void setRoute(long value) {
        route = value;
    }

    private long mask() {
        return is(MODE_32) ? MASK_32 : -1;
    }

    long comparator(long now) {
        catchUp(now);
        return comparator & mask();
    }

    void setComparator(long value) {
        if (!is(PERIODIC) || is(VAL_SET)) {
            comparator = value & mask();
        }
        if (is(PERIODIC)) {
            period = value & mask();
            config &= ~VAL_SET;
        }
    }

    /// Lets a periodic comparator go past `now`; with a match still waited for it stays, so that none is lost.
    private void catchUp(long now) {
        if (!is(PERIODIC) || period == 0 || due >= 0) {
            return;
        }
        advance(now);
    }

    private void advance(long now) {
        long behind = now - comparator & mask();
        // A comparator more than half the range ahead counts as behind.
        if (behind >>> (is(MODE_32) ? 31 : 63) == 0) {
            comparator = comparator + (Long.divideUnsigned(behind, period) + 1) * period & mask();
        }
    }

    /// Chooses the next match and answers its tick, or -1 where none comes.
    long chooseDue(long now, long tick) {
        due = -1;
        catchUp(now);
        long ahead = comparator - now & mask();
        if (ahead == 0) {
            ahead = is(MODE_32) ? 1L << 32 : Long.MAX_VALUE;
        }
        due = ahead < 0 || ahead > Long.MAX_VALUE / 4 ? -1 : tick + ahead;
        return due;
    }

    long due() {
        return due;
    }

    void stop() {
        due = -1;
        alarm.cancel();
    }

    /// The match has come: goes on to the next one.
    void passed(long now) {
        due = -1;
        if (is(PERIODIC) && period != 0) {
            advance(now);
        }
    }
}
