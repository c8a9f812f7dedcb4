package org.jvirt.images.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.live.ChangeWatcher;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Copies a disk, and what changes of it again, until the copy has all: then it is ready, and goes on. Completed,
/// it puts the copy in the disk's place; cancelled, it leaves the copy as the disk was at that instant.
///
/// A change is noted when it is done, so a piece that was read while it changed is copied once more.
public class MirrorJob extends BlockJob implements ChangeWatcher {
    private static final long GRANULE_BYTES = 64 << 10;
    /// What may be left to copy while the guest waits, if the guest does not write faster than that for long.
    private static final long SHORT_REST_BYTES = 8L << 20;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final SyncMode sync;
    private final DirtyMap dirty;
    private final JobTarget target;

    /// Takes the target over.
    MirrorJob(LiveDisk disk, JobTarget target, SyncMode sync, JobOptions options) {
        this(disk, "mirror", target, sync, options);
    }

    MirrorJob(LiveDisk disk, String type, JobTarget target, SyncMode sync, JobOptions options) {
        super(disk, type, options);
        this.target = target;
        this.sync = sync;
        dirty = new DirtyMap(disk.sizeBytes(), GRANULE_BYTES);
    }

    final DiskImage target() {
        return target.image();
    }

    @Override
    void begin() throws IOException {
        disk().alone(() -> {
            prepare();
            disk().watch(this);
            return null;
        });
        total(dirty.dirtyBytes());
    }

    /// Marks what is to be copied at first. Alone.
    void prepare() throws IOException {
        BlockBackend source = disk().backend();
        if (sync == SyncMode.NONE) {
            return;
        }
        if (source instanceof DiskImage top) {
            markPresent(top, sync == SyncMode.TOP ? 1 : Integer.MAX_VALUE, target.zero());
        } else {
            dirty.mark(0, source.sizeBytes());
        }
    }

    /// @param skipZeroes whether the target has zeroes there anyway
    final void markPresent(DiskImage top, int layers, boolean skipZeroes) throws IOException {
        long size = top.sizeBytes();
        for (long at = 0; at < size; ) {
            BlockStatus status = ChainMap.at(top, at, size - at, layers);
            if (layers == Integer.MAX_VALUE ? !(skipZeroes && status.zero()) : decides(status, layers)) {
                dirty.mark(at, status.lengthBytes());
            }
            at = status.end();
        }
    }

    /// Whether the first layers decide about a run: by what they hold, or because one of them ends before it.
    static boolean decides(BlockStatus status, int layers) {
        return status.present() || status.depth() < layers - 1;
    }

    @Override
    public void changing(long offsetBytes, long lengthBytes) {
        // Told again when it is done.
    }

    @Override
    public void changed(long offsetBytes, long lengthBytes) {
        dirty.mark(offsetBytes, lengthBytes);
        if (ready()) {
            moreToDo(lengthBytes);
        }
    }

    @Override
    void work() throws IOException, JobCancelledException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(ChunkCopier.MAX_BYTES, 4096);
            long at = 0;
            long wishedAt = 0;
            while (true) {
                boolean wished = ready() && wish() != Wish.NONE;
                if (wished && wishedAt == 0) {
                    wishedAt = System.nanoTime();
                }
                if (wished
                        && (dirty.dirtyBytes() <= SHORT_REST_BYTES || System.nanoTime() - wishedAt > PATIENCE_NANOS)) {
                    return;
                }
                long[] run = dirty.next(at, ChunkCopier.MAX_BYTES);
                if (run.length > 0) {
                    copyRun(run, buffer);
                    at = run[0] + run[1];
                } else if (at > 0) {
                    at = 0;
                } else {
                    becomeReadyOnce();
                    rest(20);
                }
            }
        }
    }

    private void becomeReadyOnce() throws IOException, JobCancelledException {
        while (!ready()) {
            try {
                target().flush();
                becomeReady();
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    private void copyRun(long[] run, MemorySegment buffer) throws IOException, JobCancelledException {
        step(run[1]);
        while (true) {
            try {
                copy(run, buffer);
                return;
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    /// What was there when the mark went is copied, or marked again.
    private void copy(long[] run, MemorySegment buffer) throws IOException {
        dirty.unmark(run[0], run[1]);
        boolean copied = false;
        try {
            new ChunkCopier(disk().backend(), target(), false, false).copy(run[0], run[1], buffer);
            copied = true;
        } finally {
            if (!copied) {
                dirty.mark(run[0], run[1]);
            }
        }
        done(run[1]);
    }

    @Override
    void finish() throws IOException {
        disk().alone(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment buffer = arena.allocate(ChunkCopier.MAX_BYTES, 4096);
                for (long[] run = dirty.next(0, ChunkCopier.MAX_BYTES);
                        run.length > 0;
                        run = dirty.next(0, ChunkCopier.MAX_BYTES)) {
                    copy(run, buffer);
                }
            }
            target().flush();
            disk().unwatch(this);
            if (wish() == Wish.COMPLETE) {
                pivot();
            } else {
                leave();
            }
            return null;
        });
    }

    /// Puts the target in the disk's place. Alone.
    void pivot() throws IOException {
        disk().replace(target()).close();
    }

    /// Lets go of the target. Alone.
    void leave() throws IOException {
        target().close();
    }

    @Override
    void abandon() throws IOException {
        disk().alone(() -> {
            disk().unwatch(this);
            leave();
            return null;
        });
    }
}
