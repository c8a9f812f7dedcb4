package org.jvirt.devices.virtio;

import java.util.function.Consumer;
import org.jvirt.devices.pci.MsixCapability;

/// How the device calls its driver: an MSI-X vector, or ISR status and the INTx pin (virtio §4.1.4.5, §4.1.5.3,
/// §4.1.5.4). Thread-safe; the pin is driven under the lock, so that its level always follows ISR status.
final class VirtioInterrupts {
    static final int NO_VECTOR = 0xffff;
    private static final int ISR_QUEUE = 1;
    private static final int ISR_CONFIG = 2;

    private final MsixCapability msix;
    private final Consumer<Boolean> pin;
    private int isr; // guarded by this

    VirtioInterrupts(MsixCapability msix, Consumer<Boolean> pin) {
        this.msix = msix;
        this.pin = pin;
    }

    /// The vector a driver's choice results in: itself, or [#NO_VECTOR] if there is no such one.
    int accept(int vector) {
        return vector < msix.vectors() ? vector : NO_VECTOR;
    }

    void queue(int vector) {
        send(vector, ISR_QUEUE);
    }

    void config(int vector) {
        send(vector, ISR_CONFIG);
    }

    private void send(int vector, int cause) {
        if (msix.enabled()) {
            if (vector != NO_VECTOR) {
                msix.raise(vector);
            }
            return;
        }
        synchronized (this) {
            isr |= cause;
            pin.accept(true);
        }
    }

    /// Reading acknowledges.
    synchronized int takeIsr() {
        int value = isr;
        isr = 0;
        pin.accept(false);
        return value;
    }

    synchronized int isr() {
        return isr;
    }

    synchronized void restore(int savedIsr) {
        isr = savedIsr;
        pin.accept(isr != 0);
    }
}
