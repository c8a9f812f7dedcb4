package org.jvirt.images.job;

import java.util.List;
import org.jvirt.images.live.ChangeWatcher;
import org.jvirt.images.live.LiveDisk;

/// What has changed of a disk since the bitmap was made; in memory, gone with the machine. Thread-safe.
final class LiveBitmap implements ChangeWatcher, BackupBitmap {
    private final DirtyMap dirty;
    private List<long[]> before = List.of(); // alone

    LiveBitmap(long diskBytes, long granuleBytes) {
        dirty = new DirtyMap(diskBytes, granuleBytes);
    }

    long dirtyBytes() {
        return dirty.dirtyBytes();
    }

    long granuleBytes() {
        return dirty.granuleBytes();
    }

    void clear() {
        dirty.clear();
    }

    @Override
    public void changing(long offsetBytes, long lengthBytes) {
        // Told again when it is done.
    }

    @Override
    public void changed(long offsetBytes, long lengthBytes) {
        dirty.mark(offsetBytes, lengthBytes);
    }

    @Override
    public List<long[]> runs() {
        return dirty.runs();
    }

    @Override
    public void begin(LiveDisk disk) {
        before = dirty.runs();
        dirty.clear();
    }

    @Override
    public void succeeded(LiveDisk disk) {
        before = List.of();
    }

    @Override
    public void failed(LiveDisk disk) {
        before.forEach(run -> dirty.mark(run[0], run[1]));
        before = List.of();
    }
}
