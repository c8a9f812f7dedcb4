package org.jvirt.core;

/// Where message-signalled interrupts go. Thread-safe.
@FunctionalInterface
public interface MsiSink {
    /// Sends one message: the write of `data` to `address` (0xFEExxxxx) that a PCI function performs.
    void send(long address, int data);

    /// Prepares the message for many sendings. An engine with interrupt controllers of its own resolves the
    /// destination now; others send as [#send] does.
    default MsiRoute route(long address, int data) {
        return new MsiRoute() {
            @Override
            public void send() {
                MsiSink.this.send(address, data);
            }

            @Override
            public void close() {
                // nothing held
            }
        };
    }
}
