package org.jvirt.images.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveDisk;

/// The block jobs of a machine, one for each disk at a time. Thread-safe.
public final class BlockJobs implements AutoCloseable {
    private static final long BITMAP_GRANULE_BYTES = 64 << 10;

    private final Map<LiveDisk, BlockJob> jobs = new ConcurrentHashMap<>();
    private final Map<LiveDisk, Map<String, LiveBitmap>> bitmaps = new ConcurrentHashMap<>();
    private final Object starting = new Object();

    /// Where a copy goes.
    ///
    /// @param format   of the image
    /// @param existing whether it is there already, as large as the disk; a new one replaces a file of that name
    public record Target(Path file, ImageFormat format, boolean existing) {
        private JobTarget.Request request() {
            return new JobTarget.Request(file, format, existing);
        }
    }

    /// A bitmap of a disk.
    ///
    /// @param persistent whether the image keeps it
    public record BitmapStatus(
            String name, long granuleBytes, long dirtyBytes, boolean recording, boolean persistent) {}

    private interface Start {
        BlockJob make() throws IOException;
    }

    public List<BlockJob> list() {
        return jobs.values().stream().sorted((a, b) -> a.id().compareTo(b.id())).toList();
    }

    /// @throws UserErrorException if the disk has no job
    public BlockJob find(LiveDisk disk) {
        return Optional.ofNullable(jobs.get(disk))
                .orElseThrow(() -> new UserErrorException("Disk %s has no active block job".formatted(disk.id())));
    }

    /// Copies a disk as it is when this returns.
    ///
    /// @param bitmap   for [SyncMode#INCREMENTAL]: of the image, or of this machine
    /// @param compress whether the copy's clusters are compressed
    /// @throws UserErrorException if that cannot be
    public BlockJob backup(
            LiveDisk disk, Target to, SyncMode sync, Optional<String> bitmap, boolean compress, JobOptions options) {
        return start(disk, () -> {
            Optional<BackupBitmap> used = bitmap.map(name -> bitmap(disk, name));
            JobTarget target = open(disk, to, sync);
            return owning(target, () -> new BackupJob(disk, target, sync, used, compress && compresses(to), options));
        });
    }

    private static boolean compresses(Target to) {
        if (to.format() != ImageFormat.QCOW2) {
            throw new UserErrorException("Only a qcow2 image can be written compressed by a backup, not %s"
                    .formatted(to.format().formatName()));
        }
        return true;
    }

    /// Copies a disk and what changes of it, until it is completed or cancelled.
    public BlockJob mirror(LiveDisk disk, Target to, SyncMode sync, JobOptions options) {
        if (sync == SyncMode.INCREMENTAL) {
            throw new UserErrorException("A mirror copies full, top or none, not what a bitmap says");
        }
        return start(disk, () -> {
            JobTarget target = open(disk, to, sync);
            return owning(target, () -> new MirrorJob(disk, target, sync, options));
        });
    }

    /// Writes what layers hold into one below them.
    ///
    /// @param top  the first of them; without, the disk itself, and then the job must be completed when it is ready
    /// @param base the one that is written; without, the last
    public BlockJob commit(LiveDisk disk, Optional<Path> top, Optional<Path> base, JobOptions options) {
        return start(disk, () -> {
            Layers layers = Layers.of(disk);
            int from = top.map(layers::find).orElse(0);
            int to = base.map(layers::find).orElse(layers.bottom());
            if (to <= from) {
                throw new UserErrorException(
                        "Cannot commit disk %s: what is written must lie below what is committed; info block shows the layers"
                                .formatted(disk.id()));
            }
            return from == 0
                    ? ActiveCommitJob.of(disk, layers, to, options)
                    : new CommitJob(disk, layers, from, to, options);
        });
    }

    /// Copies what layers below the disk hold into it.
    ///
    /// @param base the layer that stays below it; without, none does
    public BlockJob stream(LiveDisk disk, Optional<Path> base, JobOptions options) {
        return start(disk, () -> {
            Layers layers = Layers.of(disk);
            int stays = base.map(layers::find).orElse(layers.bottom() + 1);
            if (stays <= 1) {
                throw new UserErrorException(
                        "Cannot stream to disk %s: no layer lies between it and its base".formatted(disk.id()));
            }
            if (layers.get(0).readOnly()) {
                throw new UserErrorException("Cannot stream to disk %s: it is read-only".formatted(disk.id()));
            }
            return new StreamJob(disk, layers, stays, options);
        });
    }

    /// Puts a new layer on top of a disk; what is there stays as it is now.
    public void snapshot(LiveDisk disk, Target layer) {
        exclusively(disk, () -> LiveSnapshot.take(disk, layer.file(), layer.format(), layer.existing()));
    }

    /// Gives a disk another size.
    public void resize(LiveDisk disk, long sizeBytes) {
        exclusively(disk, () -> {
            if (!bitmaps.getOrDefault(disk, Map.of()).isEmpty()) {
                throw new UserErrorException(
                        "Cannot resize disk %s: it has bitmaps in memory; remove them first".formatted(disk.id()));
            }
            disk.resize(sizeBytes);
        });
    }

    private interface Action {
        void run() throws IOException;
    }

    private void exclusively(LiveDisk disk, Action action) {
        synchronized (starting) {
            requireIdle(disk);
            try {
                action.run();
            } catch (IOException e) {
                throw new HostFailureException("Cannot change disk %s: %s".formatted(disk.id(), e.getMessage()), e);
            }
        }
    }

    private void requireIdle(LiveDisk disk) {
        if (jobs.containsKey(disk)) {
            throw new UserErrorException(
                    "Disk %s is busy: it has a block job; wait for it, or cancel it".formatted(disk.id()));
        }
    }

    private BlockJob start(LiveDisk disk, Start start) {
        synchronized (starting) {
            requireIdle(disk);
            try {
                BlockJob job = start.make();
                jobs.put(disk, job);
                boolean begun = false;
                try {
                    job.start(() -> jobs.remove(disk, job));
                    begun = true;
                } finally {
                    if (!begun) {
                        jobs.remove(disk, job);
                    }
                }
                return job;
            } catch (IOException e) {
                throw new HostFailureException(
                        "Cannot begin a job on disk %s: %s".formatted(disk.id(), e.getMessage()), e);
            }
        }
    }

    private static JobTarget open(LiveDisk disk, Target to, SyncMode sync) {
        Optional<DiskImage> below =
                sync == SyncMode.TOP ? Layers.of(disk).get(0).backing() : Optional.empty();
        return JobTarget.open(disk.settings().access(), to.request(), disk.sizeBytes(), below);
    }

    private static BlockJob owning(JobTarget target, Start start) throws IOException {
        try {
            return start.make();
        } catch (IOException | UserErrorException e) {
            target.image().close();
            throw e;
        }
    }

    // ---- bitmaps

    private BackupBitmap bitmap(LiveDisk disk, String name) {
        LiveBitmap live = bitmaps.getOrDefault(disk, Map.of()).get(name);
        if (live != null) {
            return live;
        }
        ImageBitmaps kept = disk.image()
                .flatMap(DiskImage::bitmaps)
                .orElseThrow(() -> new UserErrorException("Disk %s has no bitmap '%s'".formatted(disk.id(), name)));
        return new StoredBitmap(disk, kept, name);
    }

    /// Begins to record what changes.
    ///
    /// @param granuleBytes what one bit stands for, 0 for 64 KiB
    /// @param persistent   whether the image keeps it
    public void addBitmap(LiveDisk disk, String name, long granuleBytes, boolean persistent) {
        long granule = granuleBytes == 0 ? BITMAP_GRANULE_BYTES : granuleBytes;
        if (Long.bitCount(granule) != 1 || granule < 512 || granule > 1L << 31) {
            throw new UserErrorException(
                    "The granularity of a bitmap is a power of two from 512 bytes to 2 GiB, not " + granule);
        }
        exclusively(disk, () -> {
            if (listBitmaps(disk).stream().anyMatch(bitmap -> bitmap.name().equals(name))) {
                throw new UserErrorException("Disk %s has a bitmap '%s' already".formatted(disk.id(), name));
            }
            if (persistent) {
                kept(disk).add(name, granule, true);
                return;
            }
            var bitmap = new LiveBitmap(disk.sizeBytes(), granule);
            disk.alone(() -> {
                disk.watch(bitmap);
                return null;
            });
            bitmaps.computeIfAbsent(disk, _ -> new ConcurrentHashMap<>()).put(name, bitmap);
        });
    }

    private static ImageBitmaps kept(LiveDisk disk) {
        return disk.image()
                .flatMap(DiskImage::bitmaps)
                .orElseThrow(() -> new UserErrorException(
                        "Disk %s cannot keep bitmaps: only qcow2 images can".formatted(disk.id())));
    }

    public void removeBitmap(LiveDisk disk, String name) {
        exclusively(disk, () -> {
            LiveBitmap live = bitmaps.getOrDefault(disk, new LinkedHashMap<>()).remove(name);
            if (live == null) {
                kept(disk).remove(name);
                return;
            }
            disk.alone(() -> {
                disk.unwatch(live);
                return null;
            });
        });
    }

    /// Forgets what a bitmap has recorded.
    public void clearBitmap(LiveDisk disk, String name) {
        exclusively(disk, () -> {
            LiveBitmap live = bitmaps.getOrDefault(disk, Map.of()).get(name);
            if (live == null) {
                kept(disk).clear(name);
            } else {
                live.clear();
            }
        });
    }

    public List<BitmapStatus> listBitmaps(LiveDisk disk) {
        List<BitmapStatus> all = new ArrayList<>();
        bitmaps.getOrDefault(disk, Map.of())
                .forEach((name, bitmap) ->
                        all.add(new BitmapStatus(name, bitmap.granuleBytes(), bitmap.dirtyBytes(), true, false)));
        disk.image()
                .flatMap(DiskImage::bitmaps)
                .ifPresent(kept -> kept.list()
                        .forEach(bitmap -> all.add(new BitmapStatus(
                                bitmap.name(),
                                bitmap.granularityBytes(),
                                bitmap.dirtyBytes(),
                                bitmap.enabled(),
                                true))));
        return all;
    }

    /// Cancels all jobs, and waits for their end.
    @Override
    public void close() {
        List<BlockJob> all = list();
        all.forEach(job -> job.cancel(true));
        all.forEach(BlockJob::join);
    }
}
