package org.jvirt.devices.legacy;

import org.jvirt.core.IoDevice;
import org.jvirt.core.PowerControl;

/// `isa-debug-exit`: a write of `v` ends the program with exit code `v << 1 | 1`. Reads answer 0. Thread-safe.
public final class DebugExit implements IoDevice {
    /// Where test kernels expect it by default.
    public static final int DEFAULT_PORT = 0x501;

    public static final int DEFAULT_BYTES = 2;

    private final PowerControl power;

    public DebugExit(PowerControl power) {
        this.power = power;
    }

    @Override
    public long read(long offset, int size) {
        return 0;
    }

    @Override
    public void write(long offset, int size, long value) {
        power.exit((int) value << 1 | 1);
    }
}
