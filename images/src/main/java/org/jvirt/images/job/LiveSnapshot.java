package org.jvirt.images.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveDisk;

/// Puts a new layer on top of a disk in use: what is there stays as it is at that instant.
final class LiveSnapshot {
    private LiveSnapshot() {}

    /// @param existing whether the new layer is there already, with a note of what lies below it
    static void take(LiveDisk disk, Path file, ImageFormat format, boolean existing) throws IOException {
        ImageAccess access = disk.settings().access();
        DiskImage top = Layers.of(disk).get(0);
        if (top.readOnly()) {
            throw new UserErrorException("Cannot put a layer on disk %s: it is read-only".formatted(disk.id()));
        }
        if (!existing) {
            access.create(
                    format,
                    file.toString(),
                    disk.sizeBytes(),
                    Map.of(
                            "backing_file",
                            JobTarget.absolute(top),
                            "backing_fmt",
                            top.format().formatName()));
        }
        disk.alone(() -> {
            top.flush();
            // Its lock goes, so that the layer on top can open it as one that stays as it is.
            top.close();
            try {
                DiskImage above = access.open(ImageReference.ofFile(file), Optional.of(format), ImageOpening.writing());
                if (above.sizeBytes() != top.sizeBytes()) {
                    above.close();
                    throw new UserErrorException("Cannot put %s on disk %s: it has %d bytes, the disk has %d"
                            .formatted(file, disk.id(), above.sizeBytes(), top.sizeBytes()));
                }
                disk.replace(above);
            } catch (UserErrorException e) {
                disk.replace(access.open(
                        ImageReference.ofFile(Path.of(top.name())), Optional.of(top.format()), ImageOpening.writing()));
                throw e;
            }
            return null;
        });
    }
}
