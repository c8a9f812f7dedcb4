package org.jvirt.devices.virtio.block;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.RingViolation;

/// `virtio_blk_req` (virtio §5.2.6): a header to read, data either way, and one status byte to write at the end.
///
/// One object serves a whole queue; [#parse] fills it anew. Queue thread only.
final class BlockRequest {
    static final int VIRTIO_BLK_T_IN = 0;
    static final int VIRTIO_BLK_T_OUT = 1;
    static final int VIRTIO_BLK_T_FLUSH = 4;
    static final int VIRTIO_BLK_T_GET_ID = 8;
    static final int VIRTIO_BLK_T_DISCARD = 11;
    static final int VIRTIO_BLK_T_WRITE_ZEROES = 13;

    static final int HEADER_BYTES = 16;

    private final byte[] bytes = new byte[HEADER_BYTES];
    private final ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private int type;
    private long sector;
    private long dataInBytes;
    private long dataOutBytes;

    /// @throws RingViolation if there is no whole header, or no room for a status
    void parse(DescriptorChain chain) {
        if (chain.writableBytes() == 0) {
            throw new RingViolation("a disk request without room for its status");
        }
        chain.read(0, bytes, HEADER_BYTES);
        type = header.getInt(0);
        sector = header.getLong(8);
        dataOutBytes = chain.readableBytes() - HEADER_BYTES;
        dataInBytes = chain.writableBytes() - 1;
    }

    int type() {
        return type;
    }

    long sector() {
        return sector;
    }

    /// Bytes the driver wants filled.
    long dataInBytes() {
        return dataInBytes;
    }

    /// Bytes the driver gives.
    long dataOutBytes() {
        return dataOutBytes;
    }
}
