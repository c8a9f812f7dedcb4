package org.jvirt.images.vhd;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// The 1024 bytes, big-endian, that dynamic and differencing disks have besides the footer.
///
/// ```
///  0 cookie  16 table offset  24 version  28 entries  32 block size  36 checksum  40 parent UUID  64 parent name
/// 576 eight parent locators of 24 bytes: platform, space, length, reserved, offset
/// ```
///
/// @param parent how a differencing disk names its parent; empty in others
record DynamicHeader(long tableOffset, long entries, long blockBytes, UUID parentUuid, String parent) {
    static final int BYTES = 1024;
    static final long USUAL_BLOCK_BYTES = 2 << 20;

    private static final byte[] COOKIE = "cxsparse".getBytes(StandardCharsets.US_ASCII);
    private static final int CHECKSUM_OFFSET = 36;
    private static final int VERSION = 0x0001_0000;
    private static final long MOST_BLOCK_BYTES = 256 << 20;
    private static final int LOCATORS_OFFSET = 576;
    private static final int LOCATORS = 8;
    private static final int MOST_NAME_BYTES = 4096;
    private static final int WINDOWS_RELATIVE = 0x57327275; // "W2ru"
    private static final int WINDOWS_ABSOLUTE = 0x57326b75; // "W2ku"

    static DynamicHeader read(ImageFile file, VhdFooter footer) throws IOException {
        long offset = footer.headerOffset();
        if (offset < VhdFooter.BYTES || offset > file.sizeBytes() - BYTES) {
            throw broken(file, "its header cannot be at " + Long.toUnsignedString(offset));
        }
        byte[] bytes = HeaderReader.readBytes(file, offset, BYTES);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (!Arrays.equals(bytes, 0, COOKIE.length, COOKIE, 0, COOKIE.length)) {
            throw broken(file, "no header of a dynamic disk is at " + offset);
        }
        if (VhdFooter.checksum(bytes, BYTES, CHECKSUM_OFFSET) != in.getInt(CHECKSUM_OFFSET)) {
            throw broken(file, "the checksum of its header is wrong");
        }
        if (in.getInt(24) != VERSION) {
            throw unsupported(file, "a header of version 0x%08x".formatted(in.getInt(24)));
        }
        boolean differencing = footer.type() == VhdFooter.Type.DIFFERENCING;
        var header = new DynamicHeader(
                in.getLong(16),
                Integer.toUnsignedLong(in.getInt(28)),
                Integer.toUnsignedLong(in.getInt(32)),
                new UUID(in.getLong(40), in.getLong(48)),
                differencing ? parentName(file, bytes) : "");
        header.check(file, footer.sectors() * 512);
        return header;
    }

    private void check(ImageFile file, long diskBytes) throws IOException {
        if (Long.bitCount(blockBytes) != 1 || blockBytes < 512 || blockBytes > MOST_BLOCK_BYTES) {
            throw broken(file, "blocks of %d bytes, which is no power of two from 512 up".formatted(blockBytes));
        }
        if (blockBytes * entries < diskBytes) {
            throw broken(
                    file,
                    "a table with %d blocks of %d bytes is too small for a disk of %d"
                            .formatted(entries, blockBytes, diskBytes));
        }
        if (tableOffset < VhdFooter.BYTES || tableOffset > file.sizeBytes() - entries * 4) {
            throw broken(
                    file,
                    "a table with %d entries at %s is not inside of the file"
                            .formatted(entries, Long.toUnsignedString(tableOffset)));
        }
    }

    /// The locator that is relative to the image, or else the absolute one, or else the bare name.
    private static String parentName(ImageFile file, byte[] bytes) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        for (int platform : new int[] {WINDOWS_RELATIVE, WINDOWS_ABSOLUTE}) {
            for (int i = 0; i < LOCATORS; i++) {
                int at = LOCATORS_OFFSET + i * 24;
                int length = in.getInt(at + 8);
                if (in.getInt(at) == platform && length > 0 && length <= MOST_NAME_BYTES) {
                    long offset = in.getLong(at + 16);
                    if (offset < 0 || offset > file.sizeBytes() - length) {
                        throw broken(file, "the name of its parent is outside of the file");
                    }
                    byte[] name = HeaderReader.readBytes(file, offset, length);
                    return hostName(new String(name, StandardCharsets.UTF_16LE));
                }
            }
        }
        String name = new String(bytes, 64, 512, StandardCharsets.UTF_16BE);
        if (name.charAt(0) == 0) {
            throw broken(file, "it does not name its parent");
        }
        return hostName(name);
    }

    private static String hostName(String windowsName) {
        int end = windowsName.indexOf(0);
        String name = (end < 0 ? windowsName : windowsName.substring(0, end)).replace('\\', '/');
        return name.startsWith("./") ? name.substring(2) : name;
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.put(0, COOKIE).putLong(8, -1).putLong(16, tableOffset).putInt(24, VERSION);
        out.putInt(28, (int) entries).putInt(32, (int) blockBytes);
        out.putInt(CHECKSUM_OFFSET, VhdFooter.checksum(out.array(), BYTES, CHECKSUM_OFFSET));
        return out.array();
    }

    /// How long the map of sectors is that precedes each block.
    int bitmapBytes() {
        return (int) ((blockBytes / 512 / 8 + 511) & -512L);
    }

    /// A header for a new dynamic disk, with its table right behind.
    static DynamicHeader plan(long diskBytes) {
        return new DynamicHeader(
                VhdFooter.BYTES + BYTES,
                Math.ceilDiv(diskBytes, USUAL_BLOCK_BYTES),
                USUAL_BLOCK_BYTES,
                new UUID(0, 0),
                "");
    }

    /// The first sector behind the table.
    long tableEnd() {
        return (tableOffset + entries * 4 + 511) & -512L;
    }
}
