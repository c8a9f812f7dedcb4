package org.jvirt.devices.virtio.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.virtio.DescriptorChain;

/// Carries out requests of one queue on the backend: the only place where the device hands it work. Queue thread
/// only.
///
/// Data moves between backend and guest RAM directly. A request that cannot be, and a backend that fails, answer
/// with a status; the device goes on.
final class BlockIo {
    static final int VIRTIO_BLK_S_OK = 0;
    static final int VIRTIO_BLK_S_IOERR = 1;
    static final int VIRTIO_BLK_S_UNSUPP = 2;

    private static final int RANGE_BYTES = 16;
    private static final int RANGE_UNMAP = 1;

    private final BlockBackend backend;
    private final String serial;
    private final BlockConfig config;
    private final GuestErrors failures;
    private final byte[] range = new byte[RANGE_BYTES];
    private final ByteBuffer rangeFields = ByteBuffer.wrap(range).order(ByteOrder.LITTLE_ENDIAN);

    BlockIo(BlockBackend backend, String serial, BlockConfig config, GuestErrors failures) {
        this.backend = backend;
        this.serial = serial;
        this.config = config;
        this.failures = failures;
    }

    /// Answers the status byte.
    ///
    /// @param durable whether a write must have reached the disk when it completes
    int execute(BlockRequest request, DescriptorChain chain, boolean durable) {
        try {
            return switch (request.type()) {
                case BlockRequest.VIRTIO_BLK_T_IN -> read(request, chain);
                case BlockRequest.VIRTIO_BLK_T_OUT -> write(request, chain, durable);
                case BlockRequest.VIRTIO_BLK_T_FLUSH -> flush();
                case BlockRequest.VIRTIO_BLK_T_GET_ID -> identify(request, chain);
                case BlockRequest.VIRTIO_BLK_T_DISCARD -> ranges(request, chain, false, durable);
                case BlockRequest.VIRTIO_BLK_T_WRITE_ZEROES -> ranges(request, chain, true, durable);
                default -> VIRTIO_BLK_S_UNSUPP;
            };
        } catch (IOException e) {
            failures.report(() -> "request of type %d at sector %d failed: %s"
                    .formatted(request.type(), request.sector(), e.getMessage()));
            return VIRTIO_BLK_S_IOERR;
        }
    }

    private int read(BlockRequest request, DescriptorChain chain) throws IOException {
        long length = request.dataInBytes();
        if (!inside(request.sector(), length)) {
            return VIRTIO_BLK_S_IOERR;
        }
        try {
            backend.read(request.sector() * BlockConfig.SECTOR_BYTES, chain.writeSlices(0, length));
        } finally {
            // A failed read may have written a part.
            chain.filled(0, length);
        }
        return VIRTIO_BLK_S_OK;
    }

    private int write(BlockRequest request, DescriptorChain chain, boolean durable) throws IOException {
        long length = request.dataOutBytes();
        if (backend.readOnly() || !inside(request.sector(), length)) {
            return VIRTIO_BLK_S_IOERR;
        }
        backend.write(request.sector() * BlockConfig.SECTOR_BYTES, chain.readSlices(BlockRequest.HEADER_BYTES, length));
        if (durable) {
            backend.flush();
        }
        return VIRTIO_BLK_S_OK;
    }

    private int flush() throws IOException {
        if (!backend.readOnly()) {
            backend.flush();
        }
        return VIRTIO_BLK_S_OK;
    }

    private int identify(BlockRequest request, DescriptorChain chain) {
        byte[] text = Arrays.copyOf(serial.getBytes(StandardCharsets.US_ASCII), BlockOptions.SERIAL_BYTES);
        chain.write(0, text, (int) Math.min(text.length, request.dataInBytes()));
        return VIRTIO_BLK_S_OK;
    }

    private int ranges(BlockRequest request, DescriptorChain chain, boolean zeroes, boolean durable)
            throws IOException {
        long length = request.dataOutBytes();
        if (backend.readOnly()
                || length == 0
                || length % RANGE_BYTES != 0
                || length / RANGE_BYTES > BlockConfig.MAX_RANGES) {
            return VIRTIO_BLK_S_IOERR;
        }
        for (long at = 0; at < length; at += RANGE_BYTES) {
            chain.read(BlockRequest.HEADER_BYTES + at, range, RANGE_BYTES);
            long sector = rangeFields.getLong(0);
            long count = rangeFields.getInt(8) & 0xffff_ffffL;
            int flags = rangeFields.getInt(12);
            if ((flags & ~RANGE_UNMAP) != 0 || flags != 0 && !zeroes) {
                return VIRTIO_BLK_S_UNSUPP;
            }
            if (count > BlockConfig.MAX_RANGE_SECTORS || !inside(sector, count * BlockConfig.SECTOR_BYTES)) {
                return VIRTIO_BLK_S_IOERR;
            }
            long offset = sector * BlockConfig.SECTOR_BYTES;
            if (zeroes) {
                backend.writeZeroes(offset, count * BlockConfig.SECTOR_BYTES, flags != 0);
            } else {
                backend.discard(offset, count * BlockConfig.SECTOR_BYTES);
            }
        }
        if (durable) {
            backend.flush();
        }
        return VIRTIO_BLK_S_OK;
    }

    private boolean inside(long sector, long lengthBytes) {
        long sectors = config.sectors();
        return lengthBytes % BlockConfig.SECTOR_BYTES == 0
                && sector >= 0
                && sector <= sectors
                && lengthBytes / BlockConfig.SECTOR_BYTES <= sectors - sector;
    }
}
