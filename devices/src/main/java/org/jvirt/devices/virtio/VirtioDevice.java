package org.jvirt.devices.virtio;

/// What one kind of device adds to the transport.
///
/// [#serve] runs on queue threads, one at a time for each worker; everything else may be called by any thread,
/// under the transport's lock, and must neither block nor call the transport back, unless it says otherwise.
///
/// @param <S> what of its own it saves
public interface VirtioDevice<S extends Record> extends AutoCloseable {
    VirtioKind kind();

    /// The device's own feature bits, to which the transport adds its own.
    long features();

    int queues();

    /// The largest size of each queue, a power of two up to 1024.
    int queueSize();

    /// How many threads serve the queues.
    int workers();

    /// Which of them serves `queue`.
    int workerOf(int queue);

    /// Called once, before anything else; nothing may be sent yet.
    void connect(VirtioTransport transport);

    /// The driver is ready.
    ///
    /// @param features what was negotiated
    void start(long features);

    /// Back to the state before [#start]. No [#serve] is running, and none will until the next [#start].
    void reset();

    /// Does all that can be done now for one queue and returns. Queue thread.
    ///
    /// @throws RingViolation if the driver broke a rule that leaves nothing to answer to
    /// @throws org.jvirt.core.GuestAddressException if it named memory that is not RAM
    void serve(int index, VirtQueue queue);

    /// Reads the device-specific configuration; zero outside.
    long readConfig(int offset, int size);

    /// Writes the device-specific configuration; ignored where it is read-only.
    void writeConfig(int offset, int size, long value);

    /// No [#serve] is running while this is called.
    S save();

    /// Lets go of what it holds. Backends are not closed: they belong to whoever opened them.
    @Override
    void close();
}
