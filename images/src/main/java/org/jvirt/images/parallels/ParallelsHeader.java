package org.jvirt.images.parallels;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// The first 64 bytes, little-endian; the table follows.
///
/// ```
/// 0 magic  16 version  20 heads  24 cylinders  28 sectors per cluster  32 entries  36 sectors  44 in use
/// 48 first data sector  52 flags  56 extension sector
/// ```
///
/// @param extended     whether entries count clusters (`WithouFreSpacExt`) or sectors (`WithoutFreeSpace`)
/// @param inUse        whether somebody writes to it, or did and never closed it
/// @param dataSector   the first that may hold data; 0 for "right behind the table"
/// @param hasExtension whether there is more, which only Parallels understands
record ParallelsHeader(
        boolean extended,
        long clusterBytes,
        long entries,
        long diskBytes,
        boolean inUse,
        long dataSector,
        boolean hasExtension) {
    static final int BYTES = 64;
    static final int VERSION = 2;
    static final long IN_USE_OFFSET = 44;
    static final int IN_USE = 0x746f_6e59;
    static final int CLOSED = 0;
    static final long MOST_ENTRIES = Integer.MAX_VALUE / 4;
    private static final byte[] MAGIC = "WithoutFreeSpace".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] MAGIC_EXTENDED = "WithouFreSpacExt".getBytes(StandardCharsets.US_ASCII);
    /// Less than 2 GiB.
    private static final long MOST_CLUSTER_SECTORS = Integer.MAX_VALUE / 513;

    static boolean matches(byte[] head) {
        return head.length >= BYTES
                && (startsWith(head, MAGIC) || startsWith(head, MAGIC_EXTENDED))
                && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(16) == VERSION;
    }

    private static boolean startsWith(byte[] bytes, byte[] start) {
        return Arrays.equals(bytes, 0, start.length, start, 0, start.length);
    }

    static ParallelsHeader read(ImageFile file) throws IOException {
        byte[] bytes = HeaderReader.readBytes(file, 0, BYTES);
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (!matches(bytes)) {
            throw broken(file, "it is no Parallels image of version 2");
        }
        boolean extended = startsWith(bytes, MAGIC_EXTENDED);
        long clusterSectors = Integer.toUnsignedLong(in.getInt(28));
        if (clusterSectors == 0 || clusterSectors > MOST_CLUSTER_SECTORS) {
            throw broken(file, "clusters of %d sectors".formatted(clusterSectors));
        }
        long sectors = extended ? in.getLong(36) : Integer.toUnsignedLong(in.getInt(36));
        var header = new ParallelsHeader(
                extended,
                clusterSectors * 512,
                Integer.toUnsignedLong(in.getInt(32)),
                sectors * 512,
                in.getInt((int) IN_USE_OFFSET) == IN_USE,
                Integer.toUnsignedLong(in.getInt(48)),
                in.getLong(56) != 0);
        if (header.entries > MOST_ENTRIES) {
            throw unsupported(file, "a table with %d entries".formatted(header.entries));
        }
        if (sectors < 0 || sectors > header.entries * clusterSectors) {
            throw broken(
                    file,
                    "a disk of %s sectors does not fit into %d clusters of %d"
                            .formatted(Long.toUnsignedString(sectors), header.entries, clusterSectors));
        }
        if (header.tableEnd() > file.sizeBytes()) {
            throw broken(file, "the file ends inside of the table, which goes to byte %d".formatted(header.tableEnd()));
        }
        return header;
    }

    long tableEnd() {
        return BYTES + entries * 4;
    }

    /// Where the first cluster may be.
    long dataStart() {
        return Math.max((tableEnd() + 511) & -512L, dataSector * 512);
    }

    /// By how many bytes entries count.
    long unitBytes() {
        return extended ? clusterBytes : 512;
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.put(0, extended ? MAGIC_EXTENDED : MAGIC).putInt(16, VERSION).putInt(20, 16);
        out.putInt(24, (int) (diskBytes / 512 / 16 / 32)).putInt(28, (int) (clusterBytes / 512));
        out.putInt(32, (int) entries).putLong(36, diskBytes / 512).putInt(48, (int) dataSector);
        return out.array();
    }

    /// Of a new image.
    static ParallelsHeader plan(long sizeBytes, long clusterBytes) {
        long entries = Math.ceilDiv(sizeBytes, clusterBytes);
        long dataSector = Math.ceilDiv(BYTES + entries * 4, clusterBytes) * (clusterBytes / 512);
        return new ParallelsHeader(true, clusterBytes, entries, (sizeBytes + 511) & -512L, false, dataSector, false);
    }
}
