package org.jvirt.devices;

import org.jvirt.core.InterruptLine;

/// One wire with several drivers: high while any of them holds it high, as level-triggered interrupts are shared.
/// Thread-safe; its lock is held while the wire is driven, so that levels arrive in order.
public final class SharedLine {
    private final InterruptLine wire;
    private int raised;

    public SharedLine(InterruptLine wire) {
        this.wire = wire;
    }

    /// Makes one more driver, low at first.
    public InterruptLine driver() {
        return new Driver();
    }

    private final class Driver implements InterruptLine {
        private boolean level;

        @Override
        public void set(boolean high) {
            synchronized (SharedLine.this) {
                if (high == level) {
                    return;
                }
                level = high;
                raised += high ? 1 : -1;
                if (raised == (high ? 1 : 0)) {
                    wire.set(high);
                }
            }
        }
    }
}
