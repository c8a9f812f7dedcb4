package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jvirt.core.Doorbell;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.EventFd;

/// A doorbell that KVM rings by itself (ioeventfd): the queue's thread reads an event descriptor.
///
/// `struct kvm_ioeventfd`: datamatch, addr, len (0: any), fd, flags.
///
/// Source: API, 4.59.
final class EventDoorbell implements Doorbell {
    private static final int IOEVENTFD_BYTES = 64;
    private static final int DEASSIGN = 1 << 2;
    private static final long NOWHERE = -1;

    private final DeviceFile vm;
    private final EventFd event;
    private final boolean listens;
    private long listening = NOWHERE;

    EventDoorbell(DeviceFile vm, boolean listens) {
        this.vm = vm;
        this.listens = listens;
        event = new EventFd();
    }

    @Override
    public void ring() {
        event.signal();
    }

    @Override
    public void await() {
        var _ = event.await();
    }

    @Override
    public synchronized boolean listen(long gpa) {
        if (listening == gpa) {
            return true;
        }
        deafen();
        if (listens && assign(gpa, 0) >= 0) {
            listening = gpa;
            return true;
        }
        return false;
    }

    @Override
    public synchronized void deafen() {
        if (listening != NOWHERE) {
            var _ = assign(listening, DEASSIGN);
            listening = NOWHERE;
        }
    }

    private int assign(long gpa, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(IOEVENTFD_BYTES, 8);
            request.set(JAVA_LONG, 8, gpa);
            request.set(JAVA_INT, 20, event.fd());
            request.set(JAVA_INT, 24, flags);
            return vm.tryIoctl(Ioctls.KVM_IOEVENTFD, request);
        }
    }

    @Override
    public void close() {
        deafen();
        event.close();
    }
}
