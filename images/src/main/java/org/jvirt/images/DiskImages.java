package org.jvirt.images;

import java.nio.file.Path;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.file.HostFile;
import org.jvirt.images.overlay.SnapshotOverlay;
import org.jvirt.images.raw.RawImage;

/// Opens disk images. Thread-safe.
public final class DiskImages {
    private DiskImages() {}

    /// Opens an image and locks it: many may read, or one may write. The lock ends with [BlockBackend#close].
    ///
    /// @throws org.jvirt.core.UserErrorException if there is no such file, it is no disk, it may not be opened, or
    ///     somebody else uses it
    public static BlockBackend open(Path path, ImageFormat format, boolean readOnly) {
        HostFile file = HostFile.open(path, readOnly);
        return switch (format) {
            case RAW -> new RawImage(file);
        };
    }

    /// Opens an image that stays as it is: everything written goes to memory, up to `limitBytes`, and is gone with
    /// [BlockBackend#close].
    public static BlockBackend openSnapshot(Path path, ImageFormat format, long limitBytes) {
        return new SnapshotOverlay(open(path, format, true), limitBytes);
    }
}
