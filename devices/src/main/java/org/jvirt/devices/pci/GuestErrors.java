package org.jvirt.devices.pci;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// Counts what a guest does wrong, or makes go wrong, and logs ever fewer lines about it: the first eight, then
/// every power of two. Thread-safe.
public final class GuestErrors {
    private static final System.Logger LOG = System.getLogger(GuestErrors.class.getName());
    private static final long FIRST_LINES = 8;

    private final String source;
    private final AtomicLong count = new AtomicLong();

    /// @param source the device, for the log line
    public GuestErrors(String source) {
        this.source = source;
    }

    public void report(Supplier<String> what) {
        long n = count.incrementAndGet();
        if (n <= FIRST_LINES || Long.bitCount(n) == 1) {
            LOG.log(System.Logger.Level.WARNING, () -> source + ": " + what.get() + " (no. " + n + " of its kind)");
        }
    }

    public long count() {
        return count.get();
    }
}
