package org.jvirt.core;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where a disk's sectors live. Thread-safe: several queues may have requests under way at once.
///
/// Offsets and lengths are bytes and multiples of 512; what lies outside the disk is an [IOException]. A write is
/// durable once a later [#flush] has returned.
public interface BlockBackend extends AutoCloseable {
    /// A person's name for messages: the file name.
    String name();

    long sizeBytes();

    boolean readOnly();

    /// Fills all segments, in order, from `offsetBytes` on.
    void read(long offsetBytes, List<MemorySegment> into) throws IOException;

    void write(long offsetBytes, List<MemorySegment> from) throws IOException;

    /// Makes all writes that returned before this call durable.
    void flush() throws IOException;

    /// The content of the range no longer matters; reading it gives zeroes or what was there.
    void discard(long offsetBytes, long lengthBytes) throws IOException;

    /// @param mayUnmap whether the space may be given back to the host
    void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException;

    @Override
    void close() throws IOException;
}
