package org.jvirt.devices.virtio.block;

import org.jvirt.devices.virtio.ConfigBytes;

/// `virtio_blk_config` (virtio §5.2.4).
///
/// ```
/// 0 capacity 8 · 8 size_max 4 · 12 seg_max 4 · 16 geometry 4 · 20 blk_size 4 · 24 topology 8 · 32 writeback 1
/// 34 num_queues 2 · 36 max_discard_sectors 4 · 40 max_discard_seg 4 · 44 discard_sector_alignment 4
/// 48 max_write_zeroes_sectors 4 · 52 max_write_zeroes_seg 4 · 56 write_zeroes_may_unmap 1
/// ```
final class BlockConfig {
    static final int SECTOR_BYTES = 512;
    /// Ranges in one discard or write-zeroes request.
    static final int MAX_RANGES = 256;
    /// Sectors in one range: 1 GiB, so that no request lasts for ever.
    static final long MAX_RANGE_SECTORS = 1L << 21;

    private static final int BYTES = 60;
    private static final int CAPACITY = 0;
    private static final int WRITEBACK = 32;
    // What PC firmware has always made of large disks.
    private static final int HEADS = 16;
    private static final int SECTORS_PER_TRACK = 63;
    private static final int MAX_CYLINDERS = 16383;

    private final ConfigBytes bytes = new ConfigBytes(BYTES);
    private volatile long sectors;

    BlockConfig(long sectors, BlockOptions options) {
        setSectors(sectors);
        // A request also needs a descriptor for its header and one for its status.
        bytes.set(12, 4, options.queueSize() - 2L);
        bytes.set(16, 2, Math.min(sectors / (HEADS * SECTORS_PER_TRACK), MAX_CYLINDERS));
        bytes.set(18, 1, HEADS);
        bytes.set(19, 1, SECTORS_PER_TRACK);
        bytes.set(20, 4, options.blockSizeBytes());
        // Topology: physical_block_exp 1, alignment_offset 1, min_io_size 2, opt_io_size 4, in logical blocks.
        int physicalBlocks = options.physicalBlockBytes() / options.blockSizeBytes();
        bytes.set(24, 1, Integer.numberOfTrailingZeros(physicalBlocks));
        bytes.set(26, 2, physicalBlocks);
        bytes.set(34, 2, options.queues());
        bytes.set(36, 4, MAX_RANGE_SECTORS);
        bytes.set(40, 4, MAX_RANGES);
        bytes.set(44, 4, options.blockSizeBytes() / SECTOR_BYTES);
        bytes.set(48, 4, MAX_RANGE_SECTORS);
        bytes.set(52, 4, MAX_RANGES);
        bytes.set(56, 1, 1);
    }

    long sectors() {
        return sectors;
    }

    final void setSectors(long count) {
        sectors = count;
        bytes.set(CAPACITY, 8, count);
    }

    long read(int offset, int size) {
        return bytes.read(offset, size);
    }

    static boolean isWriteback(int offset, int size) {
        return offset == WRITEBACK && size == 1;
    }

    void setWriteback(boolean on) {
        bytes.set(WRITEBACK, 1, on ? 1 : 0);
    }
}
