package org.jvirt.devices.virtio.block;

import java.nio.charset.StandardCharsets;
import org.jvirt.core.UserErrorException;

/// What a user may choose about a disk.
///
/// @param serial         up to 20 ASCII characters, may be empty
/// @param queues         1–64, each with its own thread
/// @param queueSize      entries of each queue, a power of two, 4–1024
/// @param blockSizeBytes what the guest is told is a block: 512 or 4096
/// @param physicalBlockBytes what it is told is written at once: a power of two, at least a block, at most 32 KiB
public record BlockOptions(String serial, int queues, int queueSize, int blockSizeBytes, int physicalBlockBytes) {
    public static final BlockOptions DEFAULT = new BlockOptions("", 1, 256, 512, 512);
    public static final int MAX_QUEUES = 64;
    static final int SERIAL_BYTES = 20;

    public BlockOptions {
        if (serial.length() > SERIAL_BYTES
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(serial)) {
            throw new UserErrorException("Disk serial \"%s\" is not up to 20 ASCII characters".formatted(serial));
        }
        if (queues < 1 || queues > MAX_QUEUES) {
            throw new UserErrorException("A disk has 1–64 queues, not %d".formatted(queues));
        }
        if (Integer.bitCount(queueSize) != 1 || queueSize < 4 || queueSize > 1024) {
            throw new UserErrorException("A queue has 4–1024 entries, a power of two, not %d".formatted(queueSize));
        }
        if (blockSizeBytes != 512 && blockSizeBytes != 4096) {
            throw new UserErrorException("A disk block has 512 or 4096 bytes, not %d".formatted(blockSizeBytes));
        }
        if (Integer.bitCount(physicalBlockBytes) != 1
                || physicalBlockBytes < blockSizeBytes
                || physicalBlockBytes > 32768) {
            throw new UserErrorException(
                    "A physical disk block has %d–32768 bytes, a power of two, not %d: it holds whole logical blocks"
                            .formatted(blockSizeBytes, physicalBlockBytes));
        }
    }
}
