package org.jvirt.devices.virtio;

import java.lang.invoke.VarHandle;
import java.util.List;

/// The driver's side of one queue, written apart from the device's.
public abstract class GuestRing {
    /// One buffer of a request.
    public record Buffer(long gpa, long length, boolean write) {}

    /// A request that came back.
    public record Used(int id, long length) {}

    final GuestDriver driver;
    final int index;
    final int size;
    final boolean eventIndex;
    final long descriptor;
    final long driverArea;
    final long deviceArea;
    private final long kick;

    GuestRing(
            GuestDriver driver,
            int index,
            int size,
            long kick,
            boolean eventIndex,
            long descriptor,
            long driverArea,
            long deviceArea) {
        this.driver = driver;
        this.index = index;
        this.size = size;
        this.kick = kick;
        this.eventIndex = eventIndex;
        this.descriptor = descriptor;
        this.driverArea = driverArea;
        this.deviceArea = deviceArea;
    }

    abstract void clear();

    /// Makes a request available; answers its id.
    abstract int add(List<Buffer> buffers, boolean indirect);

    /// A used request, or null.
    abstract Used poll();

    /// Whether the device wants to be notified of what was added since the last call.
    abstract boolean mustKick();

    void kick() {
        driver.pci.mmio.write(kick, 2, index);
    }

    void kickIfWanted() {
        VarHandle.fullFence();
        if (mustKick()) {
            kick();
        }
    }

    /// One request, start to end, on a device that works inline.
    Used roundTrip(List<Buffer> buffers, boolean indirect) {
        int id = add(buffers, indirect);
        kick();
        Used used = poll();
        if (used != null && used.id() != id) {
            throw new AssertionError("Request %d came back as %d".formatted(id, used.id()));
        }
        return used;
    }

    Used await() {
        Used used = poll();
        for (long spins = 0; used == null; spins++) {
            if (spins > 2_000_000_000L) {
                throw new AssertionError("The device does not answer");
            }
            Thread.onSpinWait();
            used = poll();
        }
        return used;
    }

    void writeDescriptor(long at, long gpa, long length, int flags, int next) {
        driver.memory.writeLong(at, gpa);
        driver.memory.writeInt(at + 8, (int) length);
        driver.memory.writeShort(at + 12, flags);
        driver.memory.writeShort(at + 14, next);
    }
}
