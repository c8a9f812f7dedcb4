package org.jvirt.devices.acpi;

import org.jvirt.core.PowerControl;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.ByteDevice;

/// The reset control register, port 0xCF9: RST_CPU going from 0 to 1 resets the machine. The port lies inside the
/// PCI configuration address port, 0xCF8–0xCFB, which owns 32-bit accesses; this device is the byte. Thread-safe.
public final class ResetControl implements ByteDevice, Snapshottable<ResetControl.State> {
    /// What the register remembers.
    public record State(int value) {}

    private static final int RST_CPU = 4;
    /// SYS_RST, RST_CPU, FULL_RST.
    private static final int WRITABLE = 0x0e;

    private final PowerControl power;
    private int value;

    public ResetControl(PowerControl power) {
        this.power = power;
    }

    public ResetControl(PowerControl power, State saved) {
        this.power = power;
        value = saved.value & WRITABLE;
    }

    @Override
    public String id() {
        return "reset-control";
    }

    @Override
    public synchronized State save() {
        return new State(value);
    }

    public synchronized void reset() {
        value = 0;
    }

    @Override
    public synchronized int readByte(int offset) {
        return value;
    }

    @Override
    public void writeByte(int offset, int newValue) {
        boolean rises;
        synchronized (this) {
            rises = (newValue & RST_CPU) != 0 && (value & RST_CPU) == 0;
            value = newValue & WRITABLE;
        }
        if (rises) {
            power.reset();
        }
    }
}
