package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/// Replaces whole tables: each is written to a new place, then the header points there, then the old place is
/// freed. The caller is alone.
final class TableStore {
    private final Volume volume;
    private final Geometry geometry;

    TableStore(Volume volume) {
        this.volume = volume;
        this.geometry = volume.geometry;
    }

    /// Room for a table, counted durably. Nothing points to it yet.
    long allot(long bytes) throws IOException {
        volume.lock.lock();
        try {
            return volume.allocator
                    .allocateTogether(Math.max(1, geometry.clusters(bytes)))
                    .offset();
        } finally {
            volume.lock.unlock();
        }
    }

    long write(byte[] table) throws IOException {
        long offset = allot(table.length);
        // The rest of the last cluster is zeroes, so that the file holds all of it.
        BigEndian.write(
                volume.file,
                offset,
                Arrays.copyOf(table, Math.toIntExact(geometry.alignUp(Math.max(1, table.length)))));
        return offset;
    }

    /// Frees what the header no longer points to, durably.
    void free(long offset, long bytes) {
        volume.lock.lock();
        try {
            volume.allocator.freeLater(offset, geometry.clusters(bytes), false);
        } finally {
            volume.lock.unlock();
        }
    }

    /// Makes a table the active L1 table.
    void switchL1(long[] l1, long diskBytes) throws IOException {
        Qcow2Header header = volume.header;
        long oldOffset = header.l1Offset;
        long oldBytes = Math.max(1, header.l1Size * 8L);
        long offset = write(BigEndian.encode(l1, 0, l1.length));
        volume.committer.commitAll();
        header.l1Offset = offset;
        header.l1Size = l1.length;
        header.size = diskBytes;
        volume.writeHeaderFields();
        volume.file.flush();
        volume.metadata.removeRange(oldOffset);
        volume.metadata.addRange(offset, l1.length * 8L);
        volume.map.replaceL1(l1);
        if (oldOffset != 0) {
            free(oldOffset, oldBytes);
        }
    }

    /// Makes the L1 table long enough.
    void growL1(long entries) throws IOException {
        long[] l1 = volume.map.l1();
        if (entries <= l1.length) {
            return;
        }
        if (entries > CreateChoices.MAX_L1_ENTRIES) {
            throw new org.jvirt.core.UserErrorException(
                    "Cannot enlarge %s: with clusters of %d bytes its L1 table would take more than 32 MiB; convert it to larger clusters"
                            .formatted(volume.file.name(), geometry.clusterBytes()));
        }
        switchL1(Arrays.copyOf(l1, (int) entries), volume.header.size);
    }

    /// Makes these the snapshots.
    void switchSnapshots(List<SnapshotEntry> old, List<SnapshotEntry> now) throws IOException {
        byte[] table = SnapshotEntry.encodeTable(now);
        if (table.length > SnapshotEntry.MAX_TABLE_BYTES) {
            throw new org.jvirt.core.UserErrorException(
                    "Cannot keep one more snapshot in %s: the table would take more than 64 MiB; delete some"
                            .formatted(volume.file.name()));
        }
        Qcow2Header header = volume.header;
        long oldOffset = header.snapshotsOffset;
        long oldBytes = old.stream().mapToLong(SnapshotEntry::storedBytes).sum();
        long offset = now.isEmpty() ? 0 : write(table);
        volume.committer.commitAll();
        header.snapshotsOffset = offset;
        header.snapshotCount = now.size();
        volume.writeHeaderFields();
        volume.file.flush();
        volume.metadata.removeRange(oldOffset);
        volume.metadata.addRange(offset, table.length);
        if (!old.isEmpty()) {
            free(oldOffset, oldBytes);
        }
    }
}
