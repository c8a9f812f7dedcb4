package org.jvirt.images.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/// A connection without encryption.
public record PlainTransport(SocketChannel channel) implements Transport {
    /// The kernel's limit for one call (`IOV_MAX`) is far above.
    private static final int MAX_BUFFERS = 64;

    @Override
    public void read(ByteBuffer into) throws IOException {
        if (channel.read(into) < 0) {
            throw new EOFException("the peer has closed the connection");
        }
    }

    @Override
    public void write(ByteBuffer... from) throws IOException {
        int first = 0;
        while (first < from.length) {
            if (from[first].hasRemaining()) {
                channel.write(from, first, Math.min(MAX_BUFFERS, from.length - first));
            } else {
                first++;
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
