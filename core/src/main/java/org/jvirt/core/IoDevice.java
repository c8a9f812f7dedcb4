package org.jvirt.core;

/// A block of registers on a [Bus]. Any vCPU thread may call, several at once: a device guards its own state.
///
/// `offset` counts from the start of the registered range and `size` is 1, 2, 4 or 8 bytes; an access never leaves
/// the range. Values are zero-extended. Nothing a guest does may make a device throw or block.
public interface IoDevice {
    long read(long offset, int size);

    void write(long offset, int size, long value);
}
