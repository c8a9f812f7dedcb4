package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

/// Compares the guest's clock with the host's.
///
/// One reading is late by the way from the guest to here, which varies; of several, the quickest is taken.
final class ClockDrift {
    private static final int READINGS = 40;
    private static final double LIMIT = 0.001;

    private ClockDrift() {}

    /// @param span how long to let both clocks run
    static void check(Shell shell, Duration span) throws InterruptedException {
        long hostStart = System.nanoTime();
        long startNanos = hostAheadNanos(shell);
        String sleep = "sleep " + span.toSeconds();
        shell.begin(sleep);
        shell.finish(sleep, span.multipliedBy(2).plus(Shell.PATIENCE)).succeeded();
        long drift = hostAheadNanos(shell) - startNanos;
        long hostNanos = System.nanoTime() - hostStart;
        double share = (double) drift / hostNanos;
        System.out.printf(
                "In %.1f s of the host's clock the guest's went %.3f ms wrong: %.4f %%%n",
                hostNanos / 1e9, -drift / 1e6, 100 * share);
        assertThat(Math.abs(share))
                .as("drift of %d ns in %d ns", drift, hostNanos)
                .isLessThan(LIMIT);
    }

    private static long hostAheadNanos(Shell shell) throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < READINGS; i++) {
            String[] reading = shell.run("echo $EPOCHREALTIME").split("\\.");
            long guest = Long.parseLong(reading[0]) * 1_000_000_000 + Long.parseLong(reading[1]) * 1000;
            least = Math.min(least, System.nanoTime() - guest);
        }
        return least;
    }
}
