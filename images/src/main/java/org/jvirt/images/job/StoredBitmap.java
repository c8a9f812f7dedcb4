package org.jvirt.images.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.live.LiveDisk;

/// A bitmap that the image keeps. It records on while a backup is made; what changes meanwhile is noted besides,
/// and becomes its whole content when the backup has succeeded. A crash on the way leaves what it held before.
final class StoredBitmap implements BackupBitmap {
    private final ImageBitmaps bitmaps;
    private final String name;
    private final LiveBitmap since;

    /// @throws UserErrorException if there is none of this name, or it does not record
    StoredBitmap(LiveDisk disk, ImageBitmaps bitmaps, String name) {
        ImageBitmaps.Bitmap found = bitmaps.list().stream()
                .filter(bitmap -> bitmap.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException("Disk %s has no bitmap '%s'".formatted(disk.id(), name)));
        if (!found.enabled() || found.inconsistent()) {
            throw new UserErrorException("Bitmap '%s' of disk %s %s"
                    .formatted(
                            name,
                            disk.id(),
                            found.inconsistent()
                                    ? "has missed changes: make a full backup, and a new bitmap"
                                    : "records nothing: enable it first"));
        }
        this.bitmaps = bitmaps;
        this.name = name;
        since = new LiveBitmap(disk.sizeBytes(), found.granularityBytes());
    }

    @Override
    public List<long[]> runs() {
        List<long[]> runs = new ArrayList<>();
        for (long[] run = bitmaps.nextDirty(name, 0); run.length > 0; run = bitmaps.nextDirty(name, run[0] + run[1])) {
            runs.add(run);
        }
        return runs;
    }

    @Override
    public void begin(LiveDisk disk) {
        disk.watch(since);
    }

    @Override
    public void succeeded(LiveDisk disk) throws IOException {
        disk.unwatch(since);
        bitmaps.set(name, since.runs());
    }

    @Override
    public void failed(LiveDisk disk) {
        disk.unwatch(since);
    }
}
