package org.jvirt.cli.img;

import java.io.IOException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;

/// Copies persistent bitmaps from image to image.
final class BitmapCopy {
    private BitmapCopy() {}

    /// @param skipBroken whether bitmaps that missed writes are left out instead of ending the copy
    static void copyAll(DiskImage from, DiskImage to, boolean skipBroken) throws IOException {
        ImageBitmaps source = bitmaps(from);
        ImageBitmaps target = bitmaps(to);
        for (ImageBitmaps.Bitmap each : source.list()) {
            if (each.inconsistent()) {
                if (skipBroken) {
                    continue;
                }
                throw new UserErrorException(
                        "Bitmap %s of %s has missed writes; remove it, or pass --skip-broken-bitmaps"
                                .formatted(each.name(), from.name()));
            }
            target.add(each.name(), each.granularityBytes(), false);
            target.merge(each.name(), source, each.name());
            if (each.enabled()) {
                target.enable(each.name());
            }
        }
    }

    static ImageBitmaps bitmaps(DiskImage image) {
        return image.bitmaps()
                .orElseThrow(() -> new UserErrorException(
                        "%s has no bitmaps: only qcow2 images of version 3 have".formatted(image.name())));
    }
}
