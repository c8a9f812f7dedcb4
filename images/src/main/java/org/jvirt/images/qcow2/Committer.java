package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/// Brings metadata from memory to the file, so that every instant between leaves a valid image. Thread-safe; lock
/// order: this one's, then the volume's.
///
/// ```
///   copy all changes (under the volume's lock; from then on requests go on)
///   1  new refcount blocks ─ flush        only if there are new blocks
///   2  refcount table, refcount blocks    counters in the file are never too low
///      ─ flush                            also data, and new L2 tables, are durable now
///   3  L2 slices, L1 entries              point to what is durable
///      ─ flush                            what the guest asked for
///   4  freed clusters become free
/// ```
///
/// With lazy refcounts, 1 and 2 wait for the image to be closed, and the dirty bit says so.
@SuppressWarnings("ReferenceEquality") // one file may be both
final class Committer {
    private final Volume volume;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicLong asked = new AtomicLong();
    /// All askers up to this one have been served. Guarded by [#lock].
    private long served;

    Committer(Volume volume) {
        this.volume = volume;
    }

    /// All that was finished before this call is durable when it returns. Callers at the same time share the work.
    void commit() throws IOException {
        long ticket = asked.incrementAndGet();
        lock.lock();
        try {
            if (served < ticket) {
                long covers = asked.get();
                run(volume.lazy());
                served = covers;
            }
        } finally {
            lock.unlock();
        }
    }

    /// As [#commit], with the counters, whether they are lazy or not.
    void commitAll() throws IOException {
        lock.lock();
        try {
            run(false);
        } finally {
            lock.unlock();
        }
    }

    private void run(boolean lazily) throws IOException {
        Refcounts.Batch counts;
        ClusterMap.Batch map;
        volume.lock.lock();
        try {
            volume.checkUsable();
            counts = lazily ? new Refcounts.Batch(List.of(), List.of(), List.of(), List.of()) : volume.refcounts.take();
            map = volume.map.take();
            volume.allocator.commitBegins();
            if (lazily && !map.patches().isEmpty()) {
                volume.markDirty();
            }
        } finally {
            volume.lock.unlock();
        }
        boolean failed = true;
        try {
            write(counts, map);
            failed = false;
        } finally {
            volume.lock.lock();
            try {
                volume.refcounts.written(counts, failed);
                volume.map.written(map, failed);
                if (!failed) {
                    volume.allocator.commitEnds(volume.gate.epoch());
                }
            } finally {
                volume.lock.unlock();
            }
        }
        volume.releaseRetired();
    }

    private void write(Refcounts.Batch counts, ClusterMap.Batch map) throws IOException {
        if (!counts.fresh().isEmpty()) {
            Patch.writeAll(volume.file, counts.fresh());
            volume.file.flush();
        }
        Patch.writeAll(volume.file, counts.table());
        Patch.writeAll(volume.file, counts.counted());
        if (volume.data != volume.file) {
            volume.data.flush();
        }
        if (!map.patches().isEmpty()) {
            volume.file.flush();
            Patch.writeAll(volume.file, map.patches());
        }
        volume.file.flush();
    }
}
