package org.jvirt.devices.storage;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.core.GuestAddressException;

/// The guest memory that one command moves data from, or to: offsets count through all its pieces. Not thread-safe.
public interface DataBuffers {
    /// Bytes that the device may write.
    long inBytes();

    /// Bytes that the guest gives.
    long outBytes();

    /// Windows for I/O to fill; [#filled] must follow. Valid until the next call on this object.
    ///
    /// @throws GuestAddressException if a piece is not RAM
    List<MemorySegment> in(long offset, long length);

    /// The end of what [#in] began.
    void filled(long offset, long length);

    /// Windows on what the guest gives. Valid until the next call on this object.
    ///
    /// @throws GuestAddressException if a piece is not RAM
    List<MemorySegment> out(long offset, long length);

    /// Copies to the guest.
    default void put(long offset, byte[] content, int length) {
        MemorySegment source = MemorySegment.ofArray(content);
        long at = 0;
        for (MemorySegment part : in(offset, length)) {
            MemorySegment.copy(source, at, part, 0, part.byteSize());
            at += part.byteSize();
        }
        filled(offset, length);
    }

    /// Copies from the guest.
    default byte[] get(long offset, int length) {
        var content = new byte[length];
        MemorySegment target = MemorySegment.ofArray(content);
        long at = 0;
        for (MemorySegment part : out(offset, length)) {
            MemorySegment.copy(part, 0, target, at, part.byteSize());
            at += part.byteSize();
        }
        return content;
    }
}
