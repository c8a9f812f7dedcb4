package org.jvirt.machine.chardev;

import org.jvirt.core.CharBackend;

/// Takes everything, gives nothing.
public final class NullBackend implements CharBackend {
    @Override
    public void connect(Receiver receiver) {}

    @Override
    public void write(byte[] bytes, int offset, int length) {}

    @Override
    public void receiverReady() {}

    @Override
    public void close() {}
}
