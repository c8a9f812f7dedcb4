package org.jvirt.devices.legacy;

import org.jvirt.core.PowerControl;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.ByteDevice;

/// Port 0x92: bit 0 going from 0 to 1 resets the machine; bit 1 is the A20 gate, which is stored only: address line
/// 20 is never masked. Thread-safe.
public final class SystemControlPortA implements ByteDevice, Snapshottable<SystemControlPortA.State> {
    /// What the port remembers.
    public record State(int value) {}

    private static final int FAST_INIT = 1;
    private static final int A20 = 2;
    private static final int WRITABLE = FAST_INIT | A20;

    private final PowerControl power;
    private int value = A20;

    public SystemControlPortA(PowerControl power) {
        this.power = power;
    }

    public SystemControlPortA(PowerControl power, State saved) {
        this.power = power;
        value = saved.value & WRITABLE;
    }

    @Override
    public String id() {
        return "port92";
    }

    @Override
    public synchronized State save() {
        return new State(value);
    }

    public synchronized void reset() {
        value = A20;
    }

    @Override
    public synchronized int readByte(int offset) {
        return value;
    }

    @Override
    public void writeByte(int offset, int newValue) {
        boolean rises;
        synchronized (this) {
            rises = (newValue & FAST_INIT) != 0 && (value & FAST_INIT) == 0;
            value = newValue & WRITABLE;
        }
        if (rises) {
            power.reset();
        }
    }
}
