package org.jvirt.devices.virtio;

/// What the driver has written about one queue so far. Guarded by [VirtioCore]'s lock, but for the
/// vector, which queue threads read.
final class QueueSetup {
    int size;
    volatile int vector;
    boolean enabled;
    long descriptor;
    long driver;
    long device;

    QueueSetup(int size) {
        clear(size);
    }

    void clear(int initialSize) {
        size = initialSize;
        vector = VirtioInterrupts.NO_VECTOR;
        enabled = false;
        descriptor = 0;
        driver = 0;
        device = 0;
    }

    void load(QueueState state) {
        size = state.size();
        vector = state.vector();
        enabled = state.enabled();
        descriptor = state.descriptor();
        driver = state.driver();
        device = state.device();
    }

    /// A ring that nobody has used yet; packed rings start with both wrap counters at 1.
    QueueState fresh() {
        return new QueueState(size, vector, enabled, descriptor, driver, device, 0, true, 0, true);
    }
}
