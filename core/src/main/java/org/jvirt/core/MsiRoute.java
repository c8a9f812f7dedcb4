package org.jvirt.core;

/// One message prepared for many sendings: an MSI-X table entry of a device, as long as the guest leaves it alone.
public interface MsiRoute extends AutoCloseable {
    /// Sends the message. Any thread; never blocks.
    void send();

    /// Gives the route back. Nobody may send any more.
    @Override
    void close();
}
