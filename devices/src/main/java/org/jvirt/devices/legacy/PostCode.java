package org.jvirt.devices.legacy;

import org.jvirt.devices.ByteDevice;

/// Port 0x80, where firmware says how far it got; Linux writes to it to pass a microsecond. Thread-safe.
public final class PostCode implements ByteDevice {
    private volatile int last;

    /// The last code, for a person who wonders where the guest hangs.
    public int last() {
        return last;
    }

    @Override
    public int readByte(int offset) {
        return last;
    }

    @Override
    public void writeByte(int offset, int value) {
        last = value;
    }
}
