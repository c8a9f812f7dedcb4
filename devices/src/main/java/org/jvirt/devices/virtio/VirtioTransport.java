package org.jvirt.devices.virtio;

import org.jvirt.core.GuestMemory;
import org.jvirt.devices.pci.GuestErrors;

/// What a device asks of its transport. Thread-safe.
public interface VirtioTransport {
    GuestMemory memory();

    /// Has the worker look at its queues soon.
    void wake(int worker);

    /// Tells the driver that the configuration has changed.
    void configChanged();

    GuestErrors errors();
}
