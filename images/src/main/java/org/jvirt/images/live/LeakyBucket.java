package org.jvirt.images.live;

/// What has passed lately, and leaks away at the average rate. Not thread-safe.
///
/// ```
///   level ──┐ filled by requests
///   ........│.......... room: a tenth of a second at the average, or the whole of a burst
///           ▼ leaks: average      beside it, with long bursts, a second one that leaks at the burst's rate
/// ```
final class LeakyBucket {
    private static final double NANOS = 1e9;

    private final DiskLimit limit;
    private double level;
    private double burstLevel;
    private long atNanos;

    LeakyBucket(DiskLimit limit, long nowNanos) {
        this.limit = limit;
        atNanos = nowNanos;
    }

    /// Puts `amount` into the bucket.
    ///
    /// @return how long it must wait for what was there before
    long put(double amount, long nowNanos) {
        if (!limit.limits()) {
            return 0;
        }
        double seconds = Math.max(0, nowNanos - atNanos) / NANOS;
        atNanos = nowNanos;
        level = Math.max(0, level - seconds * limit.perSecond());
        burstLevel = Math.max(0, burstLevel - seconds * limit.burst());
        double room = limit.burst() == 0 ? limit.perSecond() / 10.0 : (double) limit.burst() * limit.burstSeconds();
        double wait = Math.max(0, level - room) / limit.perSecond();
        if (limit.burstSeconds() > 1) {
            wait = Math.max(wait, Math.max(0, burstLevel - limit.burst() / 10.0) / limit.burst());
        }
        level += amount;
        burstLevel += amount;
        return (long) Math.min(wait * NANOS, Long.MAX_VALUE / 4.0);
    }
}
