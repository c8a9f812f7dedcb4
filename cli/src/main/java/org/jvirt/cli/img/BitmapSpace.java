package org.jvirt.cli.img;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.ImageFormat;

/// What persistent bitmaps take in a qcow2 image (QEMU's `docs/interop/qcow2.txt`, "Bitmaps extension").
final class BitmapSpace {
    private static final int DIRECTORY_ENTRY_BYTES = 24;
    private static final int TABLE_ENTRY_BYTES = 8;

    private BitmapSpace() {}

    /// @return empty if the source or the target has no bitmaps by its format
    static OptionalLong bytes(DiskImage source, ImageFormat target, long clusterBytes) {
        if (target != ImageFormat.QCOW2 || source.bitmaps().isEmpty()) {
            return OptionalLong.empty();
        }
        long bytes = 0;
        long directory = 0;
        for (ImageBitmaps.Bitmap each : source.bitmaps().get().list()) {
            if (!each.inconsistent()) {
                long bits = divideUp(source.sizeBytes(), each.granularityBytes());
                long clusters = divideUp(divideUp(bits, 8), clusterBytes);
                bytes += clusters * clusterBytes + roundUp(clusters * TABLE_ENTRY_BYTES, clusterBytes);
                directory += roundUp(
                        DIRECTORY_ENTRY_BYTES + each.name().getBytes(StandardCharsets.UTF_8).length, TABLE_ENTRY_BYTES);
            }
        }
        return OptionalLong.of(bytes + roundUp(directory, clusterBytes));
    }

    private static long divideUp(long value, long by) {
        return (value + by - 1) / by;
    }

    private static long roundUp(long value, long unit) {
        return divideUp(value, unit) * unit;
    }
}
