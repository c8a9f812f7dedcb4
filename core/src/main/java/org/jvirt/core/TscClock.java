package org.jvirt.core;

/// The invariant time-stamp counter: guest time in other units. Thread-safe.
///
/// @param clock guest time
/// @param hz    ticks per second, 1 MHz to 8 GHz
public record TscClock(VmClock clock, long hz) {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    public TscClock {
        if (hz < 1_000_000 || hz > 8_000_000_000L) {
            throw new IllegalArgumentException("TSC frequency %d Hz is not within 1 MHz–8 GHz".formatted(hz));
        }
    }

    /// Ticks since power-on.
    public long ticks() {
        return ticksAt(clock.nanos());
    }

    /// Ticks at the guest time `nanos`.
    public long ticksAt(long nanos) {
        return nanos / NANOS_PER_SECOND * hz + nanos % NANOS_PER_SECOND * hz / NANOS_PER_SECOND;
    }

    /// The first guest time at which at least `ticks` (unsigned) have passed; [Long#MAX_VALUE] where that is beyond
    /// reach.
    public long nanosAt(long ticks) {
        long seconds = Long.divideUnsigned(ticks, hz);
        if (seconds >= Long.MAX_VALUE / NANOS_PER_SECOND - 1) {
            return Long.MAX_VALUE;
        }
        long rest = Long.remainderUnsigned(ticks, hz);
        return seconds * NANOS_PER_SECOND + Math.ceilDiv(rest * NANOS_PER_SECOND, hz);
    }
}
