package org.jvirt.devices.storage;

/// A drive with a disk in it, as the machine's owner sees it.
public interface StorageDevice {
    /// The backend has another size now: the guest is told, as far as the interface knows how. Any thread.
    void resized();
}
