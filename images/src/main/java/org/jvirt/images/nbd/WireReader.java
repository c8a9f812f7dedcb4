package org.jvirt.images.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Reads the protocol's numbers (network order) from a connection, ahead where more has come. Not thread-safe.
public final class WireReader {
    private static final int BUFFER_BYTES = 32 << 10;
    /// From here on, a payload is worth a read of its own, straight to where it belongs.
    private static final int DIRECT_BYTES = 4 << 10;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);
    private Transport from;

    public WireReader(Transport from) {
        this.from = from;
    }

    /// Reads from another transport from now on.
    ///
    /// @throws IOException if bytes of the former one have been read ahead: whoever sent them did not wait, and may
    ///                     not be who the new one shows
    public void use(Transport next) throws IOException {
        if (buffer.hasRemaining()) {
            throw new IOException(
                    "%d bytes came in the clear where encryption was to begin".formatted(buffer.remaining()));
        }
        from = next;
    }

    public Transport transport() {
        return from;
    }

    /// Whether the next bytes are here already.
    public boolean ahead() {
        return buffer.hasRemaining();
    }

    private void need(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            buffer.compact();
            try {
                while (buffer.position() < bytes) {
                    from.read(buffer);
                }
            } finally {
                buffer.flip();
            }
        }
    }

    public int u16() throws IOException {
        need(2);
        return Short.toUnsignedInt(buffer.getShort());
    }

    public int i32() throws IOException {
        need(4);
        return buffer.getInt();
    }

    public long u32() throws IOException {
        return Integer.toUnsignedLong(i32());
    }

    public long i64() throws IOException {
        need(8);
        return buffer.getLong();
    }

    /// @param count which the caller has bounded
    public byte[] bytes(int count) throws IOException {
        byte[] bytes = new byte[count];
        into(MemorySegment.ofArray(bytes));
        return bytes;
    }

    /// Fills the segment.
    public void into(MemorySegment segment) throws IOException {
        ByteBuffer rest = segment.asByteBuffer();
        while (rest.hasRemaining()) {
            if (!buffer.hasRemaining() && rest.remaining() >= DIRECT_BYTES) {
                from.read(rest);
            } else {
                need(1);
                int part = Math.min(rest.remaining(), buffer.remaining());
                rest.put(buffer.slice(buffer.position(), part));
                buffer.position(buffer.position() + part);
            }
        }
    }

    public void skip(long count) throws IOException {
        for (long left = count; left > 0; ) {
            need(1);
            int part = (int) Math.min(left, buffer.remaining());
            buffer.position(buffer.position() + part);
            left -= part;
        }
    }
}
