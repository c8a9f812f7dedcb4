package org.jvirt.cli.img;

import java.io.PrintWriter;
import java.util.Locale;
import org.jvirt.images.tool.Progress;

/// Overwrites one line with `    (42.00/100%)`. Called by one thread at a time.
final class ProgressLine implements Progress, AutoCloseable {
    private static final double STEP_PERCENT = 1.0;

    private final PrintWriter out;
    private final boolean wanted;
    private double shown = -STEP_PERCENT;

    ProgressLine(PrintWriter out, boolean wanted) {
        this.out = out;
        this.wanted = wanted;
        show(0);
    }

    @Override
    public void at(long doneBytes, long totalBytes) {
        double percent = totalBytes == 0 ? 100 : 100.0 * doneBytes / totalBytes;
        if (percent >= shown + STEP_PERCENT) {
            show(percent);
        }
    }

    private void show(double percent) {
        shown = percent;
        if (wanted) {
            out.print(String.format(Locale.ROOT, "    (%3.2f/100%%)\r", percent));
            out.flush();
        }
    }

    /// The task is complete.
    void complete() {
        show(100);
    }

    @Override
    public void close() {
        if (wanted) {
            out.println();
        }
    }
}
