package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jvirt.images.nbd.Nbd;

/// Makes the list of extents of one context.
final class StatusReply {
    private static final int MAX_EXTENTS = 16 << 10;
    /// How many runs of the image may be looked at for one answer.
    private static final int MAX_LOOKS = 64 << 10;
    private static final int EXTENT_BYTES = 8;

    private StatusReply() {}

    /// @return length and flags of each extent, neighbours with different flags; never behind the range, and as far
    ///     as it goes within bounds of time and space
    static ByteBuffer extents(MetaContext context, Request request) throws IOException {
        int most = request.has(Nbd.CMD_FLAG_REQ_ONE) ? 1 : MAX_EXTENTS;
        long at = request.offsetBytes();
        long end = at + request.lengthBytes();
        var extents =
                ByteBuffer.allocate((int) Math.min((long) most * EXTENT_BYTES, request.lengthBytes() * EXTENT_BYTES));
        long open = 0;
        int openFlags = 0;
        for (int looks = 0; at < end && looks < MAX_LOOKS; looks++) {
            MetaContext.Status status = context.at(at, end - at);
            if (open > 0 && status.flags() != openFlags) {
                extents.putInt((int) open).putInt(openFlags);
                open = 0;
                if (!extents.hasRemaining()) {
                    break;
                }
            }
            open += status.lengthBytes();
            openFlags = status.flags();
            at += status.lengthBytes();
        }
        if (open > 0) {
            extents.putInt((int) open).putInt(openFlags);
        }
        return extents.flip();
    }
}
