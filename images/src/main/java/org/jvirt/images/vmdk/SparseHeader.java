package org.jvirt.images.vmdk;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// The first 512 bytes of a sparse extent, little-endian; places and lengths are in sectors.
///
/// ```
///  0 magic  4 version  8 flags  12 capacity  20 grain size  28 descriptor  36 its length  44 entries per grain
///  table
/// 48 redundant grain directory  56 grain directory  64 overhead  72 unclean  73 "\n \r\n"  77 compression
/// ```
record SparseHeader(
        int version,
        int flags,
        long capacity,
        long grainSectors,
        long descriptorSector,
        long descriptorSectors,
        int entriesPerTable,
        long redundantDirectory,
        long directory,
        long overhead,
        int compression) {
    static final int BYTES = 512;
    static final int MAGIC = 0x564d444b; // "KDMV"
    static final int MAGIC_COWD = 0x44574f43; // "COWD"
    /// 4 EiB.
    static final long MOST_SECTORS = 1L << 53;

    static final int FLAG_NEWLINES = 1;
    static final int FLAG_REDUNDANT = 1 << 1;
    static final int FLAG_ZEROED_GRAIN = 1 << 2;
    static final int FLAG_COMPRESSED = 1 << 16;
    static final int FLAG_MARKERS = 1 << 17;
    static final int DEFLATE = 1;
    private static final long DIRECTORY_AT_END = -1;
    private static final int MARKER_FOOTER = 3;
    private static final long MOST_GRAIN_SECTORS = 0x20_0000;
    private static final int MOST_ENTRIES_PER_TABLE = 512;
    private static final long MOST_TABLES = 32 << 20;

    static SparseHeader read(ImageFile file) throws IOException {
        ByteBuffer start = HeaderReader.read(file, 0, BYTES, ByteOrder.LITTLE_ENDIAN);
        SparseHeader header = parse(file, start);
        if (header.directory == DIRECTORY_AT_END) {
            header = parse(file, footer(file));
        }
        header.check(file);
        return header;
    }

    /// Streams are written front to back: where the directory is, the end tells.
    private static ByteBuffer footer(ImageFile file) throws IOException {
        long size = file.sizeBytes();
        if (size < 4 * BYTES) {
            throw broken(file, "the stream has no footer");
        }
        ByteBuffer end = HeaderReader.read(file, size - 3 * BYTES, 3 * BYTES, ByteOrder.LITTLE_ENDIAN);
        boolean footerMarker = end.getInt(8) == 0 && end.getInt(12) == MARKER_FOOTER;
        boolean endMarker = end.getLong(2 * BYTES) == 0 && end.getLong(2 * BYTES + 8) == 0;
        if (!footerMarker || !endMarker) {
            throw broken(file, "the stream does not end with a footer; it has been truncated");
        }
        ByteBuffer footer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return footer.put(0, end, BYTES, BYTES);
    }

    private static SparseHeader parse(ImageFile file, ByteBuffer in) {
        if (in.getInt(0) == MAGIC_COWD) {
            throw unsupported(file, "COWD extents (vmfsSparse, or made by VMware 3)");
        }
        if (in.getInt(0) != MAGIC) {
            throw broken(file, "it is no sparse extent: it begins with 0x%08x".formatted(in.getInt(0)));
        }
        return new SparseHeader(
                in.getInt(4),
                in.getInt(8),
                in.getLong(12),
                in.getLong(20),
                in.getLong(28),
                in.getLong(36),
                in.getInt(44),
                in.getLong(48),
                in.getLong(56),
                in.getLong(64),
                in.getShort(77) & 0xffff);
    }

    private void check(ImageFile file) throws IOException {
        if (version < 1 || version > 3) {
            throw unsupported(file, "VMDK version %d, only 1 to 3".formatted(Integer.toUnsignedLong(version)));
        }
        if (capacity < 0 || capacity > MOST_SECTORS) {
            throw broken(file, "a capacity of %s sectors".formatted(Long.toUnsignedString(capacity)));
        }
        if (grainSectors < 1 || grainSectors > MOST_GRAIN_SECTORS) {
            throw broken(file, "grains of %s sectors".formatted(Long.toUnsignedString(grainSectors)));
        }
        if (entriesPerTable < 1 || entriesPerTable > MOST_ENTRIES_PER_TABLE) {
            throw broken(file, "%s entries in a grain table".formatted(Integer.toUnsignedString(entriesPerTable)));
        }
        if (tables() > MOST_TABLES) {
            throw unsupported(file, "%d grain tables, only %d".formatted(tables(), MOST_TABLES));
        }
        if (compressed() && compression != DEFLATE) {
            throw unsupported(file, "compression %d, only deflate".formatted(compression));
        }
        checkDirectory(file, directory);
        if (hasRedundant()) {
            checkDirectory(file, redundantDirectory);
        }
    }

    private void checkDirectory(ImageFile file, long sector) throws IOException {
        long end = sector * 512 + tables() * 4;
        if (capacity > 0 && (sector < 1 || sector > MOST_SECTORS || end > file.sizeBytes())) {
            throw broken(
                    file,
                    "a grain directory with %d entries at sector %s is not inside of the file"
                            .formatted(tables(), Long.toUnsignedString(sector)));
        }
    }

    long grainBytes() {
        return grainSectors * 512;
    }

    long grains() {
        return Math.ceilDiv(capacity, grainSectors);
    }

    long tables() {
        return Math.ceilDiv(grains(), (long) entriesPerTable);
    }

    boolean compressed() {
        return (flags & FLAG_COMPRESSED) != 0;
    }

    boolean hasRedundant() {
        return (flags & FLAG_REDUNDANT) != 0;
    }

    boolean hasMarkers() {
        return (flags & FLAG_MARKERS) != 0;
    }

    boolean hasZeroedGrains() {
        return (flags & FLAG_ZEROED_GRAIN) != 0;
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, MAGIC)
                .putInt(4, version)
                .putInt(8, flags)
                .putLong(12, capacity)
                .putLong(20, grainSectors);
        out.putLong(28, descriptorSector).putLong(36, descriptorSectors).putInt(44, entriesPerTable);
        out.putLong(48, redundantDirectory).putLong(56, directory).putLong(64, overhead);
        out.put(73, new byte[] {'\n', ' ', '\r', '\n'}).putShort(77, (short) compression);
        return out.array();
    }

    long directorySectors() {
        return Math.ceilDiv(tables() * 4, 512L);
    }

    long tableSectors() {
        return Math.ceilDiv(entriesPerTable * 4L, 512L);
    }

    /// Of a new extent: header, descriptor, both directories with their tables, and then grains.
    static SparseHeader plan(long sectors, boolean compressed, boolean zeroedGrains) {
        int version = compressed ? 3 : zeroedGrains ? 2 : 1;
        int flags = FLAG_NEWLINES
                | (compressed ? FLAG_COMPRESSED | FLAG_MARKERS : FLAG_REDUNDANT)
                | (zeroedGrains ? FLAG_ZEROED_GRAIN : 0);
        var sketch = new SparseHeader(version, flags, sectors, 128, 1, 20, 512, 21, 0, 0, compressed ? DEFLATE : 0);
        long both = sketch.directorySectors() + sketch.tables() * sketch.tableSectors();
        long directory = sketch.redundantDirectory + both;
        long overhead = Math.ceilDiv(directory + both, sketch.grainSectors) * sketch.grainSectors;
        return new SparseHeader(version, flags, sectors, 128, 1, 20, 512, 21, directory, overhead, sketch.compression);
    }
}
