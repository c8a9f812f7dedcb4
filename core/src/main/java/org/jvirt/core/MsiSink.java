package org.jvirt.core;

/// Where message-signalled interrupts go. Thread-safe.
@FunctionalInterface
public interface MsiSink {
    /// Sends one message: the write of `data` to `address` (0xFEExxxxx) that a PCI function performs.
    void send(long address, int data);
}
