package org.jvirt.devices;

/// The exact rate of an oscillator that counts guest time.
///
/// @param ticks    so many ticks
/// @param perNanos in so many nanoseconds; both below 2³¹
public record TickRate(long ticks, long perNanos) {
    public TickRate {
        if (ticks <= 0 || perNanos <= 0 || ticks > Integer.MAX_VALUE || perNanos > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("%d ticks in %d ns: out of range".formatted(ticks, perNanos));
        }
    }

    /// @param hz up to 2³¹ - 1
    public static TickRate hz(long hz) {
        return new TickRate(hz, 1_000_000_000);
    }

    /// Whole ticks since power-on at guest time `nanos`.
    public long ticksAt(long nanos) {
        return nanos / perNanos * ticks + nanos % perNanos * ticks / perNanos;
    }

    /// The first guest time at which `tick` ticks have passed; [Long#MAX_VALUE] where that is beyond reach.
    public long nanosAt(long tick) {
        long rounds = tick / ticks;
        if (rounds >= Long.MAX_VALUE / perNanos - 1) {
            return Long.MAX_VALUE;
        }
        return rounds * perNanos + Math.ceilDiv(tick % ticks * perNanos, ticks);
    }
}
