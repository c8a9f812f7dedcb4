package org.jvirt.images.nbd;

import java.util.List;

/// What a server tells of an export.
///
/// @param description    empty where there is none
/// @param flags          `NBD_FLAG_…`
/// @param minimumBytes   what offsets and lengths must be multiples of, 1 where nothing is said
/// @param preferredBytes what they should be multiples of
/// @param maximumBytes   the most data of one request
/// @param contexts       names of the contexts that the server has, or, on a connection, that were chosen; each
///                       by its number on the connection
public record ExportDetails(
        String name,
        String description,
        long sizeBytes,
        int flags,
        int minimumBytes,
        int preferredBytes,
        int maximumBytes,
        boolean structured,
        List<Context> contexts) {
    /// A question that may be asked of blocks.
    public record Context(int id, String name) {}

    private static final int LARGEST_MINIMUM_BYTES = 64 << 10;

    public ExportDetails {
        contexts = List.copyOf(contexts);
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// @throws ProtocolException if a server that is used in this way would do harm
    void check() throws ProtocolException {
        if (sizeBytes < 0 || sizeBytes > Nbd.MAX_DISK_BYTES) {
            throw new ProtocolException(
                    "the disk has %s bytes, more than can be addressed".formatted(Long.toUnsignedString(sizeBytes)));
        }
        boolean sound = Integer.bitCount(minimumBytes) == 1
                && minimumBytes > 0
                && minimumBytes <= LARGEST_MINIMUM_BYTES
                && Integer.compareUnsigned(maximumBytes, minimumBytes) >= 0;
        if (!sound) {
            throw new ProtocolException("block sizes of %s to %s bytes make no sense"
                    .formatted(Integer.toUnsignedString(minimumBytes), Integer.toUnsignedString(maximumBytes)));
        }
        if (sizeBytes % minimumBytes != 0) {
            throw new ProtocolException(
                    "a disk of %d bytes is not made of blocks of %d bytes".formatted(sizeBytes, minimumBytes));
        }
    }

    /// The most data that a request is given: whole blocks.
    int pieceBytes() {
        int most =
                Integer.compareUnsigned(maximumBytes, Nbd.MAX_PAYLOAD_BYTES) > 0 ? Nbd.MAX_PAYLOAD_BYTES : maximumBytes;
        return most / minimumBytes * minimumBytes;
    }
}
