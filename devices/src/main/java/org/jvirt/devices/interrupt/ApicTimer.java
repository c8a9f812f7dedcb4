package org.jvirt.devices.interrupt;

import org.jvirt.core.TscClock;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.LocalApicState;

/// The timer of a local APIC. Guarded by its local APIC's lock, apart from the alarm's callback.
///
/// The counter is not stepped: what is kept is the time at which it reaches 0, and counts follow from that exactly.
/// A tick is one nanosecond (a bus clock of 1 GHz, as KVM has it and tells in CPUID 0x4000_0010) times the divisor.
final class ApicTimer {
    static final int ONE_SHOT = 0;
    static final int PERIODIC = 1;
    static final int TSC_DEADLINE = 2;

    /// Shorter periods count exactly, but interrupt no more often than this, so that a guest cannot keep a host
    /// processor busy.
    private static final long MIN_PERIOD_NANOS = 20_000;

    private final TscClock tsc;
    private final VmClock.Timer alarm;
    private int mode;
    private int initialCount;
    private int divideConfiguration;
    private long deadlineNanos;
    private long tscDeadline;

    ApicTimer(TscClock tsc, String name, Runnable onExpiry) {
        this.tsc = tsc;
        alarm = tsc.clock().timer(name, onExpiry);
    }

    void load(int newMode, LocalApicState s) {
        mode = newMode;
        initialCount = s.initialCount();
        divideConfiguration = s.divideConfiguration();
        deadlineNanos = s.deadlineNanos();
        tscDeadline = s.tscDeadline();
        arm();
    }

    void reset() {
        mode = ONE_SHOT;
        initialCount = 0;
        divideConfiguration = 0;
        stop();
    }

    int initialCount() {
        return initialCount;
    }

    int divideConfiguration() {
        return divideConfiguration;
    }

    long deadlineNanos() {
        return deadlineNanos;
    }

    long tscDeadline() {
        return tscDeadline;
    }

    /// Bits 18–17 of the LVT entry. TSC-deadline and counting are two timers: a change between them stops both.
    void setMode(int newMode) {
        if (newMode != mode && (newMode == TSC_DEADLINE || mode == TSC_DEADLINE)) {
            initialCount = 0;
            stop();
        }
        if (newMode == PERIODIC && mode == ONE_SHOT || newMode == ONE_SHOT && mode == PERIODIC) {
            deadlineNanos = nextDeadline(tsc.clock().nanos());
        }
        mode = newMode;
    }

    void setInitialCount(int count) {
        if (mode == TSC_DEADLINE) {
            return;
        }
        initialCount = count;
        deadlineNanos = count == 0 ? 0 : tsc.clock().nanos() + periodNanos();
        arm();
    }

    /// The count goes on from where it is, at the new rate.
    void setDivideConfiguration(int value) {
        long now = tsc.clock().nanos();
        long count = Integer.toUnsignedLong(currentCount(now));
        divideConfiguration = value & 0xb;
        if (count != 0) {
            deadlineNanos = now + count * divisor();
            arm();
        }
    }

    /// Answers whether the deadline has been reached already: then no alarm will go off, and [#expire] is to be
    /// called.
    boolean setTscDeadline(long ticks) {
        if (mode != TSC_DEADLINE) {
            return false;
        }
        tscDeadline = ticks;
        if (ticks == 0) {
            alarm.cancel();
            return false;
        }
        if (Long.compareUnsigned(tsc.ticksAt(tsc.clock().nanos()), ticks) >= 0) {
            alarm.cancel();
            return true;
        }
        arm();
        return false;
    }

    int currentCount() {
        return currentCount(tsc.clock().nanos());
    }

    private int currentCount(long now) {
        long deadline = nextDeadline(now);
        return deadline == 0 ? 0 : (int) Math.ceilDiv(deadline - now, divisor());
    }

    /// When the count is 0 next; 0 when it stands.
    private long nextDeadline(long now) {
        if (deadlineNanos == 0 || now < deadlineNanos) {
            return deadlineNanos;
        }
        if (mode != PERIODIC) {
            return 0;
        }
        long period = periodNanos();
        return deadlineNanos + ((now - deadlineNanos) / period + 1) * period;
    }

    /// The alarm went off; answers whether it means something.
    boolean expire() {
        long now = tsc.clock().nanos();
        if (mode == TSC_DEADLINE) {
            if (tscDeadline == 0) {
                return false;
            }
            if (Long.compareUnsigned(tsc.ticksAt(now), tscDeadline) < 0) {
                arm();
                return false;
            }
            tscDeadline = 0;
            return true;
        }
        if (deadlineNanos == 0) {
            return false;
        }
        if (now < deadlineNanos) {
            arm();
            return false;
        }
        deadlineNanos = nextDeadline(now);
        if (deadlineNanos != 0) {
            alarm.arm(Math.max(deadlineNanos, now + MIN_PERIOD_NANOS));
        }
        return true;
    }

    private void stop() {
        deadlineNanos = 0;
        tscDeadline = 0;
        alarm.cancel();
    }

    private void arm() {
        if (mode == TSC_DEADLINE) {
            if (tscDeadline != 0) {
                alarm.arm(tsc.nanosAt(tscDeadline));
            }
        } else if (deadlineNanos != 0) {
            alarm.arm(deadlineNanos);
        } else {
            alarm.cancel();
        }
    }

    private long periodNanos() {
        return Integer.toUnsignedLong(initialCount) * divisor();
    }

    /// 1 to 128: the code is bits 3, 1, 0, and 7 means 1.
    private int divisor() {
        int code = divideConfiguration >> 1 & 4 | divideConfiguration & 3;
        return 1 << (code + 1 & 7);
    }
}
