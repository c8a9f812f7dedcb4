package org.jvirt.core;

/// The other end of a serial line or console: a terminal, file, socket, pty, or nothing. Thread-safe.
public interface CharBackend extends AutoCloseable {
    /// Connects the device; once, before the guest runs. Until then input waits.
    void connect(Receiver receiver);

    /// Takes bytes from the guest. Never blocks for long: what a slow peer does not take within the backend's
    /// bounded buffer is dropped and counted.
    void write(byte[] bytes, int offset, int length);

    /// The device has room again after [Receiver#space] was 0.
    void receiverReady();

    @Override
    void close();

    /// The device's side. The backend calls from one thread at a time.
    interface Receiver {
        /// How many bytes the device takes now.
        int space();

        /// Hands over at most [#space] bytes.
        void receive(byte[] bytes, int offset, int length);

        /// The user sent a break condition.
        void breakCondition();
    }
}
