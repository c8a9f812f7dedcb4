package org.jvirt.images.nbd.server;

import org.jvirt.images.nbd.Nbd;

/// A request as it came, unchecked.
///
/// @param cookie      the client's own number for it
/// @param lengthBytes unsigned
record Request(int flags, int type, long cookie, long offsetBytes, long lengthBytes) {
    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// Flags that have a meaning for its type.
    int knownFlags(boolean structured) {
        return switch (type) {
            case Nbd.CMD_READ -> Nbd.CMD_FLAG_FUA | (structured ? Nbd.CMD_FLAG_DF : 0);
            case Nbd.CMD_WRITE, Nbd.CMD_TRIM, Nbd.CMD_FLUSH, Nbd.CMD_CACHE -> Nbd.CMD_FLAG_FUA;
            case Nbd.CMD_WRITE_ZEROES -> Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_NO_HOLE | Nbd.CMD_FLAG_FAST_ZERO;
            case Nbd.CMD_BLOCK_STATUS -> Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_REQ_ONE;
            default -> 0;
        };
    }
}
