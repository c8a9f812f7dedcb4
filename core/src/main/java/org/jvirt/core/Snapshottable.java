package org.jvirt.core;

/// Something whose state can be saved. Restoring is building it anew from the record.
public interface Snapshottable<S extends Record> {
    /// Unique and stable within a machine: `serial0`, `pci0000:00:03.0`.
    String id();

    S save();
}
