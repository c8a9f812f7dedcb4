package org.jvirt.images.live;

import org.jvirt.core.UserErrorException;

/// How much of something may pass: on average, and in a burst, as QEMU's leaky buckets have it.
///
/// @param perSecond    on average; 0 for no limit
/// @param burst        per second while a burst lasts; 0 where there are none beyond a tenth of a second's worth
/// @param burstSeconds how long a burst may last at its full rate, at least 1
public record DiskLimit(long perSecond, long burst, long burstSeconds) {
    public static final DiskLimit NONE = new DiskLimit(0, 0, 1);
    /// Beyond this, sums could overflow.
    static final long MAXIMUM = 1_000_000_000_000_000L;

    public DiskLimit {
        if (perSecond < 0 || perSecond > MAXIMUM || burst < 0 || burst > MAXIMUM) {
            throw new UserErrorException(
                    "An I/O limit lies between 0 (none) and %d per second, not at %d with bursts of %d"
                            .formatted(MAXIMUM, perSecond, burst));
        }
        if (burst > 0 && perSecond == 0) {
            throw new UserErrorException(
                    "An I/O limit of %d per second in bursts needs one on average".formatted(burst));
        }
        if (burst > 0 && burst < perSecond) {
            throw new UserErrorException(
                    "An I/O limit of %d per second in bursts is below the average of %d".formatted(burst, perSecond));
        }
        if (burstSeconds < 1 || burstSeconds > 1 && burst == 0 || burstSeconds > MAXIMUM / Math.max(1, burst)) {
            throw new UserErrorException(
                    "A burst of %d s at %d per second: give a length from 1 s on, and a rate with it"
                            .formatted(burstSeconds, burst));
        }
    }

    public static DiskLimit of(long perSecond) {
        return new DiskLimit(perSecond, 0, 1);
    }

    public boolean limits() {
        return perSecond > 0;
    }
}
