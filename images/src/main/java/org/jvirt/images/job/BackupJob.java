package org.jvirt.images.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.live.ChangeWatcher;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Copies a disk as it was when the job began.
///
/// A part that the guest is about to change is copied first, on the guest's time; the job's thread copies the rest.
/// Each granule is copied once, by whoever holds its range. Where copying for the guest fails, the backup fails and
/// the guest goes on.
public final class BackupJob extends BlockJob implements ChangeWatcher {
    private static final long MIN_GRANULE_BYTES = 64 << 10;

    private final JobTarget target;
    private final SyncMode sync;
    private final Optional<BackupBitmap> bitmap;
    private final DirtyMap missing;
    private final RangeLocks ranges = new RangeLocks();
    private final ChunkCopier copier;
    private volatile @Nullable IOException broken;

    /// Takes the target over.
    ///
    /// @param bitmap for [SyncMode#INCREMENTAL], and only then
    BackupJob(
            LiveDisk disk,
            JobTarget target,
            SyncMode sync,
            Optional<BackupBitmap> bitmap,
            boolean compress,
            JobOptions options) {
        super(disk, "backup", options);
        if ((sync == SyncMode.INCREMENTAL) != bitmap.isPresent()) {
            throw new UserErrorException(
                    "A backup has a bitmap if it is incremental (sync=incremental), and only then");
        }
        this.target = target;
        this.sync = sync;
        this.bitmap = bitmap;
        missing = new DirtyMap(
                disk.sizeBytes(), Math.max(MIN_GRANULE_BYTES, target.image().clusterBytes()));
        copier = new ChunkCopier(disk.backend(), target.image(), target.zero(), compress);
    }

    @Override
    void begin() throws IOException {
        disk().alone(() -> {
            choose();
            bitmap.ifPresent(chosen -> chosen.begin(disk()));
            disk().watch(this);
            return null;
        });
        total(sync == SyncMode.NONE ? 0 : missing.dirtyBytes());
    }

    private void choose() throws IOException {
        long size = disk().sizeBytes();
        switch (sync) {
            case FULL, NONE -> missing.mark(0, size);
            case INCREMENTAL -> bitmap.orElseThrow().runs().forEach(run -> missing.mark(run[0], run[1]));
            case TOP -> {
                DiskImage top = disk().image().orElseThrow();
                for (long at = 0; at < size; ) {
                    BlockStatus status = ChainMap.at(top, at, size - at, 1);
                    if (status.present()) {
                        missing.mark(at, status.lengthBytes());
                    }
                    at = status.end();
                }
            }
        }
    }

    @Override
    void work() throws IOException, JobCancelledException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(missing.granuleBytes(), ChunkCopier.MAX_BYTES), 4096);
            long at = 0;
            while (sync != SyncMode.NONE) {
                long[] run = missing.next(at, Math.max(missing.granuleBytes(), ChunkCopier.MAX_BYTES));
                if (run.length == 0) {
                    break;
                }
                step(run[1]);
                copyMissing(run[0], run[1], buffer);
                at = run[0] + run[1];
            }
        }
        while (sync == SyncMode.NONE && wish() == Wish.NONE) {
            checkBroken();
            becomeReady();
            rest(100);
        }
        checkBroken();
    }

    private void copyMissing(long offset, long length, MemorySegment buffer) throws IOException, JobCancelledException {
        while (true) {
            checkBroken();
            try {
                copy(offset, length, buffer);
                return;
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    private void copy(long offset, long length, MemorySegment buffer) throws IOException {
        ranges.lock(offset, length);
        try {
            for (long[] run = missing.nextWithin(offset, offset + length);
                    run.length > 0;
                    run = missing.nextWithin(offset, offset + length)) {
                copier.copy(run[0], run[1], buffer);
                missing.unmark(run[0], run[1]);
                done(run[1]);
            }
        } finally {
            ranges.unlock(offset, length);
        }
    }

    private void checkBroken() throws IOException {
        IOException failure = broken;
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void changing(long offsetBytes, long lengthBytes) {
        long start = missing.floor(offsetBytes);
        long end = missing.ceiling(offsetBytes + lengthBytes);
        // What is not missing has been copied to its end: marks go only then.
        if (broken != null || missing.nextWithin(start, end).length == 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Math.max(missing.granuleBytes(), Math.min(end - start, ChunkCopier.MAX_BYTES));
            copy(start, end - start, arena.allocate(bytes, 4096));
        } catch (IOException e) {
            broken = new IOException(
                    "Cannot copy %d bytes at %d of %s before the guest changes them: %s"
                            .formatted(end - start, start, disk().id(), e.getMessage()),
                    e);
        }
    }

    @Override
    public void changed(long offsetBytes, long lengthBytes) {
        // It was copied before.
    }

    @Override
    void finish() throws IOException {
        disk().alone(() -> {
            checkBroken();
            target.image().flush();
            disk().unwatch(this);
            for (BackupBitmap used : bitmap.stream().toList()) {
                used.succeeded(disk());
            }
            return null;
        });
        target.image().close();
    }

    @Override
    void abandon() throws IOException {
        disk().alone(() -> {
            disk().unwatch(this);
            bitmap.ifPresent(used -> used.failed(disk()));
            return null;
        });
        target.image().close();
    }
}
