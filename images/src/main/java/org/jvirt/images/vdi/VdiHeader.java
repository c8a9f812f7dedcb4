package org.jvirt.images.vdi;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// The first 512 bytes, little-endian, in the layout of version 1.1:
///
/// ```
/// 0x000 text       0x040 signature      0x044 version         0x048 header size   0x04c type
/// 0x154 map offset 0x158 data offset    0x168 sector size     0x170 disk size     0x178 block size
/// 0x17c extra      0x180 blocks         0x184 blocks in use   0x188 UUID          0x1a8 link   0x1b8 parent
/// ```
///
/// @param isStatic        whether all blocks were allotted from the start
/// @param allocatedBlocks how many blocks the file holds, by its own account
record VdiHeader(
        boolean isStatic,
        long mapOffset,
        long dataOffset,
        long diskBytes,
        long blockBytes,
        long blocks,
        long allocatedBlocks) {
    static final int BYTES = 512;
    static final int SIGNATURE = 0xbeda107f;
    static final int SIGNATURE_OFFSET = 0x40;
    static final long ALLOCATED_OFFSET = 0x184;
    static final long USUAL_BLOCK_BYTES = 1 << 20;

    /// The table must fit into 2 GiB, as in QEMU.
    static final long MOST_BLOCKS = ((1L << 31) - 512) / 4;

    private static final int VERSION_1_1 = 0x0001_0001;
    private static final int DYNAMIC = 1;
    private static final int STATIC = 2;
    private static final long MOST_BLOCK_BYTES = 256 << 20;

    static VdiHeader read(ImageFile file) throws IOException {
        ByteBuffer in = HeaderReader.read(file, 0, BYTES, ByteOrder.LITTLE_ENDIAN);
        if (in.getInt(SIGNATURE_OFFSET) != SIGNATURE) {
            throw broken(file, "it is no VDI: the signature is 0x%08x".formatted(in.getInt(SIGNATURE_OFFSET)));
        }
        int version = in.getInt(0x44);
        if (version != VERSION_1_1) {
            throw unsupported(file, "VDI version %d.%d, only 1.1".formatted(version >>> 16, version & 0xffff));
        }
        int type = in.getInt(0x4c);
        if (type != DYNAMIC && type != STATIC) {
            throw unsupported(file, "VDI type %d, only dynamic (1) and static (2)".formatted(type));
        }
        if (in.getLong(0x1a8) != 0 || in.getLong(0x1b0) != 0 || in.getLong(0x1b8) != 0 || in.getLong(0x1c0) != 0) {
            throw unsupported(file, "it depends on a parent image; clone it to a full one first");
        }
        var header = new VdiHeader(
                type == STATIC,
                Integer.toUnsignedLong(in.getInt(0x154)),
                Integer.toUnsignedLong(in.getInt(0x158)),
                in.getLong(0x170),
                Integer.toUnsignedLong(in.getInt(0x178)),
                Integer.toUnsignedLong(in.getInt(0x180)),
                Integer.toUnsignedLong(in.getInt((int) ALLOCATED_OFFSET)));
        header.check(file, in.getInt(0x168), in.getInt(0x17c));
        return header.inSectors();
    }

    private void check(ImageFile file, int sectorBytes, int extraBytes) throws IOException {
        if (sectorBytes != 512) {
            throw unsupported(file, "sectors of %d bytes, only 512".formatted(Integer.toUnsignedLong(sectorBytes)));
        }
        if (extraBytes != 0) {
            throw unsupported(file, "%d extra bytes before every block".formatted(Integer.toUnsignedLong(extraBytes)));
        }
        if (Long.bitCount(blockBytes) != 1 || blockBytes < 4096 || blockBytes > MOST_BLOCK_BYTES) {
            throw unsupported(file, "blocks of %d bytes, only powers of two from 4096 up".formatted(blockBytes));
        }
        if (blocks > MOST_BLOCKS) {
            throw unsupported(file, "%d blocks, only %d".formatted(blocks, MOST_BLOCKS));
        }
        if (diskBytes < 0 || diskBytes > blocks * blockBytes) {
            throw broken(
                    file,
                    "a disk of %s bytes does not fit into %d blocks of %d"
                            .formatted(Long.toUnsignedString(diskBytes), blocks, blockBytes));
        }
        if (mapOffset % 512 != 0 || dataOffset % 512 != 0 || mapOffset < BYTES) {
            throw broken(file, "table at %d or data at %d is not where it can be".formatted(mapOffset, dataOffset));
        }
        long mapEnd = mapOffset + blocks * 4;
        if (mapEnd > file.sizeBytes()) {
            throw broken(file, "the file ends inside of the table, which goes to byte %d".formatted(mapEnd));
        }
        if (dataOffset < mapEnd) {
            throw broken(file, "data at %d overlaps the table, which goes to byte %d".formatted(dataOffset, mapEnd));
        }
    }

    /// The last sector counts in full.
    private VdiHeader inSectors() {
        long bytes = (diskBytes + 511) & -512L;
        return new VdiHeader(isStatic, mapOffset, dataOffset, bytes, blockBytes, blocks, allocatedBlocks);
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.put(0, "<<< jvirt Virtual Disk Image >>>\n".getBytes(StandardCharsets.US_ASCII));
        out.putInt(SIGNATURE_OFFSET, SIGNATURE).putInt(0x44, VERSION_1_1).putInt(0x48, 0x180);
        out.putInt(0x4c, isStatic ? STATIC : DYNAMIC)
                .putInt(0x154, (int) mapOffset)
                .putInt(0x158, (int) dataOffset);
        out.putInt(0x168, 512).putLong(0x170, diskBytes).putInt(0x178, (int) blockBytes);
        out.putInt(0x180, (int) blocks).putInt((int) ALLOCATED_OFFSET, (int) allocatedBlocks);
        putUuid(out, 0x188);
        putUuid(out, 0x198);
        return out.array();
    }

    private static void putUuid(ByteBuffer out, int at) {
        UUID uuid = UUID.randomUUID();
        out.putLong(at, uuid.getMostSignificantBits()).putLong(at + 8, uuid.getLeastSignificantBits());
    }
}
