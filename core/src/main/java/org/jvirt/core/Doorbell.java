package org.jvirt.core;

/// What a queue's thread sleeps on until the guest, or anybody else, wants it.
///
/// A ring is never lost and rings may coalesce: after [#await] the owner looks at all there is to do. An engine
/// with [Capability#DOORBELLS] can be told to ring by itself when the guest stores to a device register
/// ([#listen]); the vCPU then goes on at once, and the store does not arrive at [ExitHandler#writeMmio]. Elsewhere
/// the store arrives as ever and the device calls [#ring].
public interface Doorbell extends AutoCloseable {
    /// One of Java alone, as engines without [Capability#DOORBELLS] give it.
    static Doorbell parking() {
        return new ParkingDoorbell();
    }

    /// Wakes the owner, now or at its next [#await]. Any thread; never blocks.
    void ring();

    /// Returns after at least one ring since the last return. Owner thread. Not ended by interruption: whoever
    /// wants the thread to stop sets a flag and rings.
    void await();

    /// Asks the engine to ring at every store of any width and value to `gpa`, in place of the address asked for
    /// before. Any thread.
    ///
    /// @return whether the engine does; false where it cannot, and stores arrive as MMIO
    boolean listen(long gpa);

    /// Ends what [#listen] began; nothing if it did not. Any thread.
    void deafen();

    /// Deafens and frees it. The owner must have left [#await].
    @Override
    void close();
}
