package org.jvirt.images.vhdx;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// What kind of disk it is: MS-VHDX section 2.6.
///
/// @param leaveAllocated whether it is a fixed disk, whose blocks shall stay
record VhdxMetadata(
        long diskBytes, long blockBytes, boolean leaveAllocated, int logicalSectorBytes, int physicalSectorBytes) {
    static final long LEAST_BLOCK_BYTES = 1 << 20;
    static final long MOST_BLOCK_BYTES = 256 << 20;
    /// 64 TiB.
    static final long MOST_DISK_BYTES = 64L << 40;

    private static final int TABLE_BYTES = 64 << 10;
    private static final long SIGNATURE = 0x617461646174656dL; // "metadata"
    private static final int MOST_ENTRIES = 2047;
    private static final int IS_REQUIRED = 4;
    private static final int IS_VIRTUAL_DISK = 2;
    private static final int HAS_PARENT = 2;
    private static final int LEAVE_ALLOCATED = 1;
    private static final Guid FILE_PARAMETERS = Guid.of("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
    private static final Guid DISK_SIZE = Guid.of("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
    private static final Guid DISK_ID = Guid.of("beca12ab-b2e6-4523-93ef-c309e000c746");
    private static final Guid LOGICAL_SECTOR = Guid.of("8141bf1d-a96f-4709-ba47-f233a8faab5f");
    private static final Guid PHYSICAL_SECTOR = Guid.of("cda348c7-445d-4471-9cc9-e9885251c556");
    private static final Guid PARENT = Guid.of("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");
    private static final List<Guid> KNOWN =
            List.of(FILE_PARAMETERS, DISK_SIZE, DISK_ID, LOGICAL_SECTOR, PHYSICAL_SECTOR, PARENT);

    static VhdxMetadata read(ImageFile file, VhdxRegions.Region region) throws IOException {
        ByteBuffer in = HeaderReader.read(file, region.offset(), TABLE_BYTES, ByteOrder.LITTLE_ENDIAN);
        int count = in.getShort(10) & 0xffff;
        if (in.getLong(0) != SIGNATURE || count > MOST_ENTRIES) {
            throw broken(file, "its metadata table is not valid");
        }
        Map<Guid, ByteBuffer> items = new HashMap<>();
        for (int i = 0; i < count; i++) {
            int at = 32 + i * 32;
            Guid guid = Guid.read(in, at);
            long offset = Integer.toUnsignedLong(in.getInt(at + 16));
            long length = Integer.toUnsignedLong(in.getInt(at + 20));
            if (!KNOWN.contains(guid)) {
                if ((in.getInt(at + 24) & IS_REQUIRED) != 0) {
                    throw unsupported(file, "metadata that is required and unknown");
                }
                continue;
            }
            if (offset < TABLE_BYTES || length < 4 || offset + length > region.length()) {
                throw broken(
                        file, "%d bytes of metadata at %d are not inside of their region".formatted(length, offset));
            }
            if (items.containsKey(guid)) {
                throw broken(file, "it has the same metadata twice");
            }
            ByteBuffer item = HeaderReader.read(
                    file, region.offset() + offset, (int) Math.min(length, 16), ByteOrder.LITTLE_ENDIAN);
            items.put(guid, item);
        }
        if (items.containsKey(PARENT)) {
            throw unsupported(file, "differencing disks; merge it with its parent first");
        }
        ByteBuffer parameters = item(file, items, FILE_PARAMETERS, 8);
        if ((parameters.getInt(4) & HAS_PARENT) != 0) {
            throw unsupported(file, "differencing disks; merge it with its parent first");
        }
        var metadata = new VhdxMetadata(
                item(file, items, DISK_SIZE, 8).getLong(0),
                Integer.toUnsignedLong(parameters.getInt(0)),
                (parameters.getInt(4) & LEAVE_ALLOCATED) != 0,
                item(file, items, LOGICAL_SECTOR, 4).getInt(0),
                item(file, items, PHYSICAL_SECTOR, 4).getInt(0));
        metadata.check(file);
        return metadata;
    }

    private static ByteBuffer item(ImageFile file, Map<Guid, ByteBuffer> items, Guid guid, int bytes) {
        ByteBuffer item = items.get(guid);
        if (item == null || item.capacity() < bytes) {
            throw broken(file, "it lacks required metadata");
        }
        return item;
    }

    private void check(ImageFile file) {
        if (Long.bitCount(blockBytes) != 1 || blockBytes < LEAST_BLOCK_BYTES || blockBytes > MOST_BLOCK_BYTES) {
            throw broken(file, "blocks of %d bytes, which is no power of two from 1 to 256 MiB".formatted(blockBytes));
        }
        if (logicalSectorBytes != 512 && logicalSectorBytes != 4096) {
            throw broken(file, "sectors of %d bytes, which is neither 512 nor 4096".formatted(logicalSectorBytes));
        }
        if (diskBytes < 0 || diskBytes > MOST_DISK_BYTES || diskBytes % logicalSectorBytes != 0) {
            throw broken(
                    file,
                    "a disk of %s bytes, which is no multiple of %d up to 64 TiB"
                            .formatted(Long.toUnsignedString(diskBytes), logicalSectorBytes));
        }
    }

    /// How many blocks share one sector bitmap, whose entry follows theirs in the table.
    long chunkRatio() {
        return (1L << 23) * logicalSectorBytes / blockBytes;
    }

    long blocks() {
        return Math.ceilDiv(diskBytes, blockBytes);
    }

    /// Of the table.
    long entries() {
        return blocks() == 0 ? 0 : blocks() + (blocks() - 1) / chunkRatio();
    }

    /// The region's first bytes: its table, and the items at 64 KiB.
    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(TABLE_BYTES + 48).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, SIGNATURE).putShort(10, (short) 5);
        int items = TABLE_BYTES;
        out.putInt(items, (int) blockBytes).putInt(items + 4, leaveAllocated ? LEAVE_ALLOCATED : 0);
        out.putLong(items + 8, diskBytes);
        Guid.random().write(out, items + 16);
        out.putInt(items + 32, logicalSectorBytes).putInt(items + 36, physicalSectorBytes);
        entry(out, 0, FILE_PARAMETERS, items, 8, IS_REQUIRED);
        entry(out, 1, DISK_SIZE, items + 8, 8, IS_REQUIRED | IS_VIRTUAL_DISK);
        entry(out, 2, DISK_ID, items + 16, 16, IS_REQUIRED | IS_VIRTUAL_DISK);
        entry(out, 3, LOGICAL_SECTOR, items + 32, 4, IS_REQUIRED | IS_VIRTUAL_DISK);
        entry(out, 4, PHYSICAL_SECTOR, items + 36, 4, IS_REQUIRED | IS_VIRTUAL_DISK);
        return out.array();
    }

    private static void entry(ByteBuffer out, int index, Guid guid, int offset, int length, int flags) {
        int at = 32 + index * 32;
        guid.write(out, at);
        out.putInt(at + 16, offset).putInt(at + 20, length).putInt(at + 24, flags);
    }
}
