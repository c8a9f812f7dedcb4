package org.jvirt.devices.scsi;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.TreeMap;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.storage.DataBuffers;
import org.jvirt.devices.storage.StorageDevice;

/// A disk: direct access block device (SBC-3).
public final class DiskUnit extends LogicalUnit implements StorageDevice {
    private static final int PAGE_BLOCK_LIMITS = 0xb0;
    private static final int PAGE_BLOCK_CHARACTERISTICS = 0xb1;
    private static final int PAGE_PROVISIONING = 0xb2;
    private static final int FORCE_UNIT_ACCESS = 0x08;
    private static final int BYTE_CHECK = 0x06;
    private static final int ANCHOR = 0x10;
    private static final int UNMAP = 0x08;
    private static final int NO_DATA_OUT = 0x01;
    private static final int WRITE_PROTECTED = 0x80;
    private static final int DPO_AND_FUA = 0x10;
    private static final int WRITE_CACHE_ENABLE = 0x04;
    private static final int UNMAP_DESCRIPTOR_BYTES = 16;
    private static final int MAX_UNMAP_DESCRIPTORS = 255;
    /// 1 GiB in one range, so that no command lasts for ever.
    private static final long MAX_RANGE_BYTES = 1L << 30;

    private static final int MAX_TRANSFER_BYTES = 32 << 20;
    private static final int VERIFY_STEP_BYTES = 1 << 20;

    private final BlockBackend backend;
    private final int blockBytes;
    private final int physicalBlocksExponent;
    private volatile long blocks;
    private volatile boolean writeCache = true;
    private volatile Runnable onResize = () -> {};

    /// @param blockBytes         a logical block: 512 or 4096
    /// @param physicalBlockBytes a power of two, at least a block
    public DiskUnit(BlockBackend backend, UnitIdentity identity, int blockBytes, int physicalBlockBytes) {
        super(identity);
        this.backend = backend;
        this.blockBytes = blockBytes;
        physicalBlocksExponent = Integer.numberOfTrailingZeros(physicalBlockBytes / blockBytes);
        blocks = backend.sizeBytes() / blockBytes;
    }

    @Override
    public void resized() {
        blocks = backend.sizeBytes() / blockBytes;
        attention(Sense.CAPACITY_CHANGED);
        onResize.run();
    }

    /// What the transport does about a new size, besides the unit attention.
    public void onResize(Runnable action) {
        onResize = action;
    }

    @Override
    void resetUnit() {
        writeCache = true;
    }

    @Override
    int deviceType() {
        return 0x00;
    }

    @Override
    boolean removable() {
        return false;
    }

    @Override
    long run(int operation, Cdb cdb, DataBuffers data) throws ScsiFailure, IOException {
        return switch (operation) {
            case Operation.TEST_UNIT_READY,
                    Operation.RESERVE_6,
                    Operation.RELEASE_6,
                    Operation.START_STOP_UNIT,
                    Operation.PREVENT_ALLOW -> 0;
            case Operation.READ_6 -> read(cdb.u24(1) & 0x1f_ffff, sixBlocks(cdb), data);
            case Operation.READ_10 -> read(cdb.u32(2), cdb.u16(7), data);
            case Operation.READ_12 -> read(cdb.u32(2), cdb.u32(6), data);
            case Operation.READ_16 -> read(cdb.u64(2), cdb.u32(10), data);
            case Operation.WRITE_6 -> write(cdb.u24(1) & 0x1f_ffff, sixBlocks(cdb), data, false);
            case Operation.WRITE_10, Operation.WRITE_VERIFY_10 -> write(cdb.u32(2), cdb.u16(7), data, durable(cdb));
            case Operation.WRITE_12, Operation.WRITE_VERIFY_12 -> write(cdb.u32(2), cdb.u32(6), data, durable(cdb));
            case Operation.WRITE_16, Operation.WRITE_VERIFY_16 -> write(cdb.u64(2), cdb.u32(10), data, durable(cdb));
            case Operation.VERIFY_10 -> verify(cdb, cdb.u32(2), cdb.u16(7), data);
            case Operation.VERIFY_12 -> verify(cdb, cdb.u32(2), cdb.u32(6), data);
            case Operation.VERIFY_16 -> verify(cdb, cdb.u64(2), cdb.u32(10), data);
            case Operation.SEEK_10 -> {
                checkRange(cdb.u32(2), 0);
                yield 0;
            }
            case Operation.SYNCHRONIZE_CACHE_10 -> synchronizeCache(cdb.u32(2), cdb.u16(7));
            case Operation.SYNCHRONIZE_CACHE_16 -> synchronizeCache(cdb.u64(2), cdb.u32(10));
            case Operation.WRITE_SAME_10 -> writeSame(cdb, cdb.u32(2), cdb.u16(7), data);
            case Operation.WRITE_SAME_16 -> writeSame(cdb, cdb.u64(2), cdb.u32(10), data);
            case Operation.UNMAP -> unmap(cdb, data);
            case Operation.READ_CAPACITY_10 -> readCapacity10(data);
            case Operation.SERVICE_ACTION_IN_16 -> serviceAction(cdb, data);
            case Operation.MODE_SENSE_6, Operation.MODE_SENSE_10 -> modeSense(cdb, data);
            case Operation.MODE_SELECT_6, Operation.MODE_SELECT_10 -> ModePages.select(cdb, data, this::changePage);
            default -> throw new CheckCondition(Sense.INVALID_OPERATION_CODE);
        };
    }

    /// In the six-byte commands 0 means 256.
    private static int sixBlocks(Cdb cdb) {
        return cdb.u8(4) == 0 ? 256 : cdb.u8(4);
    }

    private static boolean durable(Cdb cdb) {
        boolean verify = switch (cdb.operation()) {
            case Operation.WRITE_VERIFY_10, Operation.WRITE_VERIFY_12, Operation.WRITE_VERIFY_16 -> true;
            default -> false;
        };
        return verify || cdb.bit(1, FORCE_UNIT_ACCESS);
    }

    private void checkRange(long block, long count) throws CheckCondition {
        long end = blocks;
        if (block < 0 || block > end || count > end - block) {
            throw new CheckCondition(Sense.BLOCK_OUT_OF_RANGE);
        }
    }

    /// The bytes of a transfer whose range lies on the disk.
    private long transferBytes(long block, long count, long buffers) throws ScsiFailure {
        checkRange(block, count);
        long length = count * blockBytes;
        if (length > MAX_TRANSFER_BYTES) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        if (length > buffers) {
            throw new DataOverrun();
        }
        return length;
    }

    private long read(long block, long count, DataBuffers data) throws ScsiFailure, IOException {
        long length = transferBytes(block, count, data.inBytes());
        try {
            backend.read(block * blockBytes, data.in(0, length));
        } finally {
            // A failed read may have written a part.
            data.filled(0, length);
        }
        return length;
    }

    private void checkWritable() throws CheckCondition {
        if (backend.readOnly()) {
            throw new CheckCondition(Sense.WRITE_PROTECTED);
        }
    }

    private long write(long block, long count, DataBuffers data, boolean durable) throws ScsiFailure, IOException {
        checkWritable();
        long length = transferBytes(block, count, data.outBytes());
        backend.write(block * blockBytes, data.out(0, length));
        if (durable || !writeCache) {
            backend.flush();
        }
        return length;
    }

    private long synchronizeCache(long block, long count) throws ScsiFailure, IOException {
        checkRange(block, count);
        if (!backend.readOnly()) {
            backend.flush();
        }
        return 0;
    }

    private long verify(Cdb cdb, long block, long count, DataBuffers data) throws ScsiFailure, IOException {
        int check = (cdb.u8(1) & BYTE_CHECK) >> 1;
        if (check == 0) {
            checkRange(block, count);
            return 0;
        }
        if (check != 1) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        long length = transferBytes(block, count, data.outBytes());
        var content = new byte[(int) Math.min(length, VERIFY_STEP_BYTES)];
        for (long at = 0; at < length; at += content.length) {
            int part = (int) Math.min(content.length, length - at);
            var there = MemorySegment.ofArray(content).asSlice(0, part);
            backend.read(block * blockBytes + at, List.of(there));
            byte[] given = data.get(at, part);
            if (there.mismatch(MemorySegment.ofArray(given)) >= 0) {
                throw new CheckCondition(Sense.MISCOMPARE);
            }
        }
        return length;
    }

    private long writeSame(Cdb cdb, long block, long wanted, DataBuffers data) throws ScsiFailure, IOException {
        checkWritable();
        if (cdb.bit(1, ANCHOR)) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        // None means all to the end, which may be more than a command can do.
        long count = wanted == 0 ? Math.max(0, blocks - Math.max(0, block)) : wanted;
        checkRange(block, count);
        if (count > MAX_RANGE_BYTES / blockBytes) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        byte[] pattern = {};
        if (cdb.operation() == Operation.WRITE_SAME_10 || !cdb.bit(1, NO_DATA_OUT)) {
            pattern = parameters(data, blockBytes);
        }
        if (isZero(pattern)) {
            backend.writeZeroes(block * blockBytes, count * blockBytes, cdb.bit(1, UNMAP));
        } else {
            writePattern(block, count, pattern);
        }
        if (!writeCache) {
            backend.flush();
        }
        return pattern.length;
    }

    private static boolean isZero(byte[] pattern) {
        for (byte each : pattern) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    private void writePattern(long block, long count, byte[] pattern) throws IOException {
        int perStep = VERIFY_STEP_BYTES / blockBytes;
        var step = new byte[(int) Math.min(count, perStep) * blockBytes];
        for (int at = 0; at < step.length; at += blockBytes) {
            System.arraycopy(pattern, 0, step, at, blockBytes);
        }
        var source = MemorySegment.ofArray(step);
        for (long done = 0; done < count; done += perStep) {
            long part = Math.min(perStep, count - done);
            backend.write((block + done) * blockBytes, List.of(source.asSlice(0, part * blockBytes)));
        }
    }

    private long unmap(Cdb cdb, DataBuffers data) throws ScsiFailure, IOException {
        checkWritable();
        int length = cdb.u16(7);
        if (cdb.bit(1, 0x01)) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB); // ANCHOR
        }
        if (length == 0) {
            return 0;
        }
        if (length < 8) {
            throw new CheckCondition(Sense.PARAMETER_LIST_LENGTH);
        }
        var list = ByteBuffer.wrap(parameters(data, length));
        int descriptors = (list.getShort(2) & 0xffff) / UNMAP_DESCRIPTOR_BYTES;
        if (8 + descriptors * UNMAP_DESCRIPTOR_BYTES > length || descriptors > MAX_UNMAP_DESCRIPTORS) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_LIST);
        }
        // All ranges are looked at before the first is unmapped.
        for (int i = 0; i < descriptors; i++) {
            int at = 8 + i * UNMAP_DESCRIPTOR_BYTES;
            checkRange(list.getLong(at), list.getInt(at + 8) & 0xffff_ffffL);
            if ((list.getInt(at + 8) & 0xffff_ffffL) > MAX_RANGE_BYTES / blockBytes) {
                throw new CheckCondition(Sense.INVALID_FIELD_IN_LIST);
            }
        }
        for (int i = 0; i < descriptors; i++) {
            int at = 8 + i * UNMAP_DESCRIPTOR_BYTES;
            long count = list.getInt(at + 8) & 0xffff_ffffL;
            backend.discard(list.getLong(at) * blockBytes, count * blockBytes);
        }
        return length;
    }

    // ---- capacity, mode and product data

    private long readCapacity10(DataBuffers data) {
        long last = Math.max(0, blocks - 1);
        return reply(data, 8, new ReplyBytes().u32(Math.min(last, 0xffff_ffffL)).u32(blockBytes));
    }

    private long serviceAction(Cdb cdb, DataBuffers data) throws CheckCondition {
        if ((cdb.u8(1) & 0x1f) != Operation.READ_CAPACITY_16) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        var reply = new ReplyBytes()
                .u64(Math.max(0, blocks - 1))
                .u32(blockBytes)
                .u8(0)
                .u8(physicalBlocksExponent)
                .u16(0x8000) // LBPME: unmapping is worth while; what was unmapped may read as anything
                .zeroes(16);
        return reply(data, cdb.u32(10), reply);
    }

    private long modeSense(Cdb cdb, DataBuffers data) throws CheckCondition {
        ModePages.Control control = ModePages.control(cdb);
        var pages = new TreeMap<Integer, ReplyBytes>();
        boolean changeable = control == ModePages.Control.CHANGEABLE;
        boolean caches = switch (control) {
            case CURRENT -> writeCache;
            case CHANGEABLE, DEFAULT -> true;
        };
        pages.put(
                ModePages.ERROR_RECOVERY,
                changeable
                        ? new ReplyBytes().zeroes(10)
                        : new ReplyBytes().u8(0x80).zeroes(9)); // AWRE
        pages.put(
                ModePages.CACHING,
                new ReplyBytes().u8(caches ? WRITE_CACHE_ENABLE : 0).zeroes(17));
        pages.put(ModePages.CONTROL, new ReplyBytes().zeroes(10));
        long count = blocks;
        var descriptor = new ReplyBytes()
                .u32(Math.min(count, 0xffff_ffffL))
                .u8(0)
                .u8(blockBytes >> 16)
                .u16(blockBytes);
        int specific = DPO_AND_FUA | (backend.readOnly() ? WRITE_PROTECTED : 0);
        return ModePages.sense(cdb, data, 0, specific, descriptor, pages);
    }

    private void changePage(int number, byte[] list, int at, int length) throws CheckCondition {
        switch (number) {
            case ModePages.CACHING -> {
                if (length != 18) {
                    throw new CheckCondition(Sense.INVALID_FIELD_IN_LIST);
                }
                writeCache = (list[at] & WRITE_CACHE_ENABLE) != 0;
            }
            case ModePages.ERROR_RECOVERY, ModePages.CONTROL -> {
                // Nothing in them can be changed; what is sent is what was read.
            }
            default -> throw new CheckCondition(Sense.INVALID_FIELD_IN_LIST);
        }
    }

    @Override
    List<Integer> furtherPages() {
        return List.of(PAGE_BLOCK_LIMITS, PAGE_BLOCK_CHARACTERISTICS, PAGE_PROVISIONING);
    }

    @Override
    ReplyBytes furtherPage(int page) throws CheckCondition {
        return switch (page) {
            case PAGE_BLOCK_LIMITS ->
                new ReplyBytes()
                        .u8(0x01) // WSNZ: WRITE SAME names its length
                        .u8(0)
                        .u16(1 << physicalBlocksExponent)
                        .u32(MAX_TRANSFER_BYTES / blockBytes)
                        .u32(0)
                        .u32(0)
                        .u32(MAX_RANGE_BYTES / blockBytes)
                        .u32(MAX_UNMAP_DESCRIPTORS)
                        .u32(1L << physicalBlocksExponent)
                        .u32(0x8000_0000L) // aligned at block 0
                        .u64(MAX_RANGE_BYTES / blockBytes)
                        .zeroes(20);
            case PAGE_BLOCK_CHARACTERISTICS -> new ReplyBytes().u16(1).zeroes(58); // not rotating
            case PAGE_PROVISIONING ->
                new ReplyBytes()
                        .u8(0)
                        .u8(0xe0) // UNMAP, WRITE SAME (16) and (10) unmap
                        .u8(0x02) // thin
                        .u8(0);
            default -> throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        };
    }
}
