package org.jvirt.testkit;

import org.jvirt.core.InterruptLine;

/// An interrupt wire that remembers. Thread-safe.
public final class RecordingLine implements InterruptLine {
    private boolean high;
    private int risingEdges;

    @Override
    public synchronized void set(boolean newLevel) {
        if (newLevel && !high) {
            risingEdges++;
        }
        high = newLevel;
    }

    public synchronized boolean high() {
        return high;
    }

    public synchronized int risingEdges() {
        return risingEdges;
    }
}
