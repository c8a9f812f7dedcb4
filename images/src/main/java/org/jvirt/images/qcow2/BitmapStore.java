package org.jvirt.images.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.DirtyBits;

/// Bitmaps in the file: the header extension, the directory, tables and data.
///
/// ```
/// extension ──> directory ─┬─> table of A ──> data clusters; 0: all zeroes, 1: all ones
///                          └─> table of B …
/// ```
final class BitmapStore {
    private static final long MAX_LOADED_BYTES = 256 << 20;
    private static final long ALL_ONES = 1;

    private final Volume volume;
    private final Geometry geometry;

    BitmapStore(Volume volume) {
        this.volume = volume;
        this.geometry = volume.geometry;
    }

    /// Where the directory is, as the extension says; nothing if there are no bitmaps that can be trusted.
    record Directory(int count, long offset, long bytes) {}

    List<BitmapEntry> readDirectory() throws IOException {
        if ((volume.header.autoclear & Feature.BITMAPS.mask()) == 0) {
            return List.of();
        }
        Directory directory = directory();
        if (directory.count == 0) {
            return List.of();
        }
        if (directory.count < 0
                || directory.count > BitmapEntry.MAX_BITMAPS
                || directory.bytes <= 0
                || directory.bytes > BitmapEntry.MAX_DIRECTORY_BYTES
                || directory.offset < 0
                || geometry.inCluster(directory.offset) != 0
                || directory.offset > volume.file.sizeBytes() - directory.bytes) {
            throw new UserErrorException("The bitmap directory of %s, %d bytes at 0x%x, is damaged; check tells more"
                    .formatted(volume.file.name(), directory.bytes, directory.offset));
        }
        byte[] bytes = BigEndian.read(volume.file, directory.offset, directory.bytes);
        return BitmapEntry.decode(volume.file.name(), bytes, directory.count);
    }

    private Directory directory() {
        byte[] extension = volume.header.extension(HeaderExtension.BITMAPS).orElse(new byte[0]);
        if (extension.length < 24) {
            return new Directory(0, 0, 0);
        }
        ByteBuffer in = ByteBuffer.wrap(extension);
        return new Directory(in.getInt(0), in.getLong(16), in.getLong(8));
    }

    long[] readTable(BitmapEntry entry) throws IOException {
        long bytes = entry.tableSize() * 8L;
        if (entry.tableOffset() < 0
                || geometry.inCluster(entry.tableOffset()) != 0
                || entry.tableOffset() > volume.file.sizeBytes() - bytes) {
            throw damaged(entry);
        }
        return BigEndian.readTable(volume.file, entry.tableOffset(), entry.tableSize());
    }

    private UserErrorException damaged(BitmapEntry entry) {
        return new UserErrorException("Bitmap '%s' of %s is damaged; remove it, or look at it with check"
                .formatted(entry.name(), volume.file.name()));
    }

    DirtyBits load(BitmapEntry entry) throws IOException {
        var bits = new DirtyBits(volume.header.size, entry.granularityBits());
        long[] table = readTable(entry);
        if (table.length != geometry.clusters(bits.storedBytes())) {
            throw damaged(entry);
        }
        for (int i = 0; i < table.length; i++) {
            long at = (long) i << geometry.clusterBits();
            long offset = table[i] & Qcow2Header.OFFSET_MASK;
            if (offset != 0) {
                if (geometry.inCluster(offset) != 0 || offset >= volume.file.sizeBytes()) {
                    throw damaged(entry);
                }
                bits.load(at, BigEndian.read(volume.file, offset, geometry.clusterBytes()));
            } else if (table[i] == ALL_ONES) {
                bits.loadOnes(at, geometry.clusterBytes());
            }
            if (bits.heldBytes() > MAX_LOADED_BYTES) {
                throw new UserErrorException("Bitmap '%s' of %s takes more than 256 MiB; use one of larger granularity"
                        .formatted(entry.name(), volume.file.name()));
            }
        }
        return bits;
    }

    /// Writes data and table of a bitmap to new places.
    BitmapEntry store(BitmapEntry entry, DirtyBits bits) throws IOException {
        int cluster = geometry.clusterBytes();
        long[] table = new long[Math.toIntExact(geometry.clusters(bits.storedBytes()))];
        for (int i = 0; i < table.length; i++) {
            long at = (long) i << geometry.clusterBits();
            if (bits.all(at, cluster)) {
                table[i] = ALL_ONES;
            } else if (bits.any(at, cluster)) {
                table[i] = new TableStore(volume).write(bits.store(at, cluster));
            }
        }
        long offset = new TableStore(volume).write(BigEndian.encode(table, 0, table.length));
        return entry.withTable(offset, table.length);
    }

    /// Makes these the bitmaps, and frees what only the former ones used. Alone.
    void replace(List<BitmapEntry> before, List<BitmapEntry> now) throws IOException {
        Qcow2Header header = volume.header;
        Directory old = directory();
        if (now.isEmpty()) {
            header.setExtension(HeaderExtension.BITMAPS, null);
            header.autoclear &= ~Feature.BITMAPS.mask();
        } else {
            byte[] directory = BitmapEntry.encode(now);
            long offset = new TableStore(volume).write(directory);
            volume.metadata.addRange(offset, directory.length);
            header.setExtension(
                    HeaderExtension.BITMAPS,
                    ByteBuffer.allocate(24)
                            .putInt(now.size())
                            .putInt(0)
                            .putLong(directory.length)
                            .putLong(offset)
                            .array());
            header.autoclear |= Feature.BITMAPS.mask();
        }
        volume.committer.commitAll();
        volume.writeHeader();
        volume.file.flush();
        if (!before.isEmpty()) {
            volume.metadata.removeRange(old.offset);
            new TableStore(volume).free(old.offset, old.bytes);
        }
        for (BitmapEntry entry : before) {
            if (now.stream().noneMatch(kept -> kept.tableOffset() == entry.tableOffset())) {
                free(entry);
            }
        }
        volume.settle();
    }

    private void free(BitmapEntry entry) throws IOException {
        var store = new TableStore(volume);
        for (long data : readTable(entry)) {
            if ((data & Qcow2Header.OFFSET_MASK) != 0) {
                store.free(data & Qcow2Header.OFFSET_MASK, geometry.clusterBytes());
            }
        }
        store.free(entry.tableOffset(), Math.max(1, entry.tableSize() * 8L));
    }

    /// Says of these bitmaps in the file that they miss writes from now on; durable when it returns.
    void markInUse(List<BitmapEntry> all, List<BitmapEntry> used) throws IOException {
        long at = directory().offset;
        for (BitmapEntry entry : all) {
            if (used.contains(entry)) {
                byte[] flags = ByteBuffer.allocate(4)
                        .putInt(entry.flags() | BitmapEntry.IN_USE)
                        .array();
                BigEndian.write(volume.file, at + 12, flags);
            }
            at += entry.storedBytes();
        }
        volume.file.flush();
    }

    /// For [Qcow2Bitmaps]: entries as a list that can be changed.
    List<BitmapEntry> editableDirectory() throws IOException {
        return new ArrayList<>(readDirectory());
    }
}
