package org.jvirt.images.format;

/// How much is made ready before it is written.
public enum Preallocation {
    OFF,
    /// The format's tables.
    METADATA,
    /// Tables, and space that the host's file system reserves.
    FALLOC,
    /// Tables, and space that has been written.
    FULL
}
