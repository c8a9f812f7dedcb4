package org.jvirt.devices.virtio;

import org.jvirt.core.Doorbell;

/// A doorbell of an engine that rings by itself: [#store] stands for the guest's store.
final class ListeningDoorbell implements Doorbell {
    private static final long NOWHERE = -1;

    private final Doorbell bell = Doorbell.parking();
    private volatile long gpa = NOWHERE;
    private volatile boolean closed;

    /// Answers whether the engine took the store.
    boolean store(long address) {
        boolean taken = address == gpa;
        if (taken) {
            bell.ring();
        }
        return taken;
    }

    boolean listens() {
        return gpa != NOWHERE;
    }

    boolean closed() {
        return closed;
    }

    @Override
    public void ring() {
        if (closed) {
            throw new IllegalStateException("Rung after its end");
        }
        bell.ring();
    }

    @Override
    public void await() {
        bell.await();
    }

    @Override
    public boolean listen(long address) {
        gpa = address;
        return true;
    }

    @Override
    public void deafen() {
        gpa = NOWHERE;
    }

    @Override
    public void close() {
        deafen();
        closed = true;
    }
}
