package org.jvirt.images.qcow2;

import java.io.IOException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.Preallocation;

/// Makes the disk larger or smaller. The caller is alone.
final class Qcow2Resize {
    private final Qcow2Image image;
    private final Qcow2Image.Parts parts;
    private final Volume volume;
    private final Geometry geometry;

    Qcow2Resize(Qcow2Image image, Qcow2Image.Parts parts) {
        this.image = image;
        this.parts = parts;
        this.volume = parts.volume();
        this.geometry = volume.geometry;
    }

    void resize(long newBytes, Preallocation preallocation) throws IOException {
        long oldBytes = volume.header.size;
        if (newBytes < 0 || geometry.l1Entries(newBytes) > CreateChoices.MAX_L1_ENTRIES) {
            throw new UserErrorException("Cannot resize %s to %d bytes: too large for clusters of %d"
                    .formatted(image.name(), newBytes, geometry.clusterBytes()));
        }
        if (newBytes < oldBytes) {
            if (!image.snapshotEntries().isEmpty()) {
                throw new UserErrorException(
                        "Cannot shrink %s: it has snapshots; delete them first".formatted(image.name()));
            }
            image.qcow2Bitmaps().resize(volume, oldBytes, newBytes);
            shrink(newBytes);
        } else if (newBytes > oldBytes) {
            grow(oldBytes, newBytes, preallocation);
            image.qcow2Bitmaps().resize(volume, oldBytes, newBytes);
        }
        image.resized();
    }

    private void grow(long oldBytes, long newBytes, Preallocation preallocation) throws IOException {
        new TableStore(volume).growL1(geometry.l1Entries(newBytes));
        volume.map.dropTables((int) geometry.l1Entries(oldBytes));
        volume.settle();
        if (volume.externalData()) {
            volume.data.truncate(newBytes);
        }
        // Only in memory yet: in the file the disk grows when it is ready.
        volume.header.size = newBytes;
        try {
            long inLastCluster = Math.min(newBytes, geometry.alignUp(oldBytes)) - oldBytes;
            if (inLastCluster > 0) {
                image.zero(parts, oldBytes, inLastCluster, false);
            }
            long below = volume.backing()
                    .map(org.jvirt.images.format.DiskImage::sizeBytes)
                    .orElse(0L);
            long covered = Math.min(below, newBytes) - (oldBytes + inLastCluster);
            if (covered > 0) {
                image.zero(parts, oldBytes + inLastCluster, covered, true);
            }
            Preallocation wanted = volume.header.dataFileRaw() && preallocation == Preallocation.OFF
                    ? Preallocation.METADATA
                    : preallocation;
            if (wanted != Preallocation.OFF && covered > 0) {
                throw new UserErrorException(
                        "Cannot preallocate %s: its backing file is larger than it was".formatted(image.name()));
            }
            Preallocator.fill(
                    volume, oldBytes, newBytes, wanted, volume.backing().isEmpty());
            volume.settle();
        } catch (IOException | RuntimeException e) {
            volume.header.size = oldBytes;
            throw e;
        }
        volume.writeHeaderFields();
        volume.file.flush();
    }

    private void shrink(long newBytes) throws IOException {
        long end = geometry.alignUp(newBytes);
        long tail = Math.min(end, volume.header.size) - newBytes;
        if (tail > 0) {
            image.zero(parts, newBytes, tail, false);
        }
        volume.settle();
        volume.header.size = newBytes;
        volume.writeHeaderFields();
        volume.file.flush();
        if (volume.externalData()) {
            volume.data.truncate(newBytes);
        }
        dropFrom(end);
        volume.settle();
        cutFile();
    }

    /// Frees all guest clusters from an offset on.
    private void dropFrom(long from) throws IOException {
        long nextTable = geometry.l1Index(from + (1L << geometry.l1SpanBits()) - 1);
        long tableEnd = nextTable << geometry.l1SpanBits();
        for (long cluster = from; cluster < tableEnd; cluster += geometry.clusterBytes()) {
            if (volume.map.tableOf(cluster) == 0) {
                break;
            }
            L2Slice slice = volume.map.slice(volume.map.tableOf(cluster), cluster);
            int at = volume.map.inSlice(cluster);
            long old = slice.get(at);
            if (old != 0) {
                slice = volume.map.writableSlice(cluster);
                slice.set(at, 0);
                if (geometry.extendedL2()) {
                    slice.set(at + 8, 0);
                }
                volume.allocator.release(old, true);
            }
        }
        volume.map.dropTables((int) Math.min(nextTable, volume.map.l1().length));
    }

    /// Gives free clusters at the end of the file back.
    void cutFile() throws IOException {
        long clusters = geometry.clusters(volume.file.sizeBytes());
        volume.lock.lock();
        try {
            while (clusters > 1 && volume.refcounts.get(clusters - 1) == 0) {
                clusters--;
            }
        } finally {
            volume.lock.unlock();
        }
        long end = clusters << geometry.clusterBits();
        if (end < volume.file.sizeBytes()) {
            volume.file.truncate(end);
            volume.file.flush();
        }
        volume.allocator.truncated(end);
    }
}
