package org.jvirt.images.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The bytes of a connection. One thread may read while another writes; closing ends both.
public interface Transport extends Closeable {
    /// Reads at least one byte, at most what the buffer has room for.
    ///
    /// @throws java.io.EOFException if the peer has closed
    void read(ByteBuffer into) throws IOException;

    /// Writes all buffers, in order. A buffer whose memory is not needed any more may be changed by it.
    void write(ByteBuffer... from) throws IOException;

    /// Tells a peer that still listens that nothing follows.
    default void finish() throws IOException {}
}
