package org.jvirt.images.job;

import java.io.IOException;
import java.util.List;
import org.jvirt.images.live.LiveDisk;

/// The bitmap of an incremental backup: what it held at the instant of a backup that succeeds, it holds no more;
/// changes since are in it either way. All methods are called alone.
interface BackupBitmap {
    /// Offset and length of what has changed.
    List<long[]> runs() throws IOException;

    /// The backup begins.
    void begin(LiveDisk disk);

    void succeeded(LiveDisk disk) throws IOException;

    void failed(LiveDisk disk);
}
