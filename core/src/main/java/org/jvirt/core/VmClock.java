package org.jvirt.core;

/// Guest time: nanoseconds since power-on that stand still while the VM is paused. Thread-safe.
public interface VmClock {
    /// [#aheadOfHost] of a clock that stands still, or that does not follow the host's.
    long UNRELATED = Long.MIN_VALUE;

    /// Guest nanoseconds since power-on; never goes back.
    long nanos();

    /// What has to be added to [System#nanoTime] to get [#nanos], for those who read the host's clock themselves,
    /// or [#UNRELATED]. It is good until the VM is paused.
    default long aheadOfHost() {
        return UNRELATED;
    }

    /// The wall clock's nanoseconds since the epoch (UTC) at this moment, as the guest's RTC and kvm-clock show it.
    long wallNanos();

    /// Makes a disarmed timer. `onExpiry` runs on the clock's own thread, must not block, and may arm the timer
    /// again.
    Timer timer(String name, Runnable onExpiry);

    /// One alarm. Thread-safe.
    interface Timer {
        /// Sets the alarm, replacing an earlier one; a deadline that has passed fires as soon as possible.
        void arm(long deadlineNanos);

        /// Takes the alarm back. An expiry that is already running is not waited for.
        void cancel();
    }
}
