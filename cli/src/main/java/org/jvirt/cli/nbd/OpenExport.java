package org.jvirt.cli.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.cli.img.SnapshotName;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.ImageSnapshots;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.overlay.SnapshotOverlay;

/// An export with the images behind it.
record OpenExport(NbdExport export, BlockBackend disk) implements Closeable {
    /// What the changes to a disk with `snapshot=on` may take.
    private static final long OVERLAY_BYTES = 1L << 30;

    /// @throws UserErrorException if the image, its snapshot or a bitmap cannot be had
    static OpenExport open(ExportOption option, ImageAccess access) {
        boolean readOnly =
                option.readOnly() || option.snapshot() || option.load().isPresent();
        DiskImage image = access.withCache(option.cache())
                .open(option.image(), option.format(), readOnly ? ImageOpening.reading() : ImageOpening.writing());
        try {
            return over(option, image);
        } catch (UserErrorException e) {
            try {
                image.close();
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    private static OpenExport over(ExportOption option, DiskImage image) {
        boolean changed = option.snapshot() || option.load().isPresent();
        if (changed && (!option.bitmaps().isEmpty() || option.depth())) {
            throw new UserErrorException(
                    "Cannot show bitmaps or depths of %s: a snapshot has none; serve the image read-only"
                            .formatted(image.name()));
        }
        if (option.load().isPresent()) {
            BlockBackend disk = SnapshotDisk.of(image, option.load().get());
            return new OpenExport(NbdExport.ofDisk(option.name(), option.description(), disk, true), disk);
        }
        if (option.snapshot()) {
            var disk = new SnapshotOverlay(image, OVERLAY_BYTES);
            NbdExport export = NbdExport.ofDisk(option.name(), option.description(), disk, option.readOnly());
            return new OpenExport(export, disk);
        }
        NbdExport export = NbdExport.ofImage(
                option.name(), option.description(), image, option.discard(), option.bitmaps(), option.depth());
        return new OpenExport(export, image);
    }

    @Override
    public void close() throws IOException {
        disk.close();
    }

    /// An internal snapshot as a disk to be read.
    private record SnapshotDisk(DiskImage image, ImageSnapshots snapshots, String id, long sizeBytes)
            implements BlockBackend {
        static SnapshotDisk of(DiskImage image, String idOrName) {
            ImageInfo.Snapshot found = SnapshotName.find(image, idOrName);
            return new SnapshotDisk(image, image.snapshots().orElseThrow(), found.id(), found.diskSizeBytes());
        }

        @Override
        public String name() {
            return image.name();
        }

        @Override
        public boolean readOnly() {
            return true;
        }

        @Override
        public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
            snapshots.read(id, offsetBytes, into);
        }

        @Override
        public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
            throw refused();
        }

        @Override
        public void flush() {}

        @Override
        public void discard(long offsetBytes, long lengthBytes) throws IOException {
            throw refused();
        }

        @Override
        public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
            throw refused();
        }

        private IOException refused() {
            return new IOException("Cannot write to snapshot %s of %s".formatted(id, image.name()));
        }

        @Override
        public void close() throws IOException {
            image.close();
        }
    }
}
