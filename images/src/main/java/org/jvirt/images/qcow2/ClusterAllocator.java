package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Finds free clusters, and holds back freed ones until they may be used again. Guarded by the volume's lock.
///
/// ```
/// in use ── freeLater ──> waiting ── commit durable ──> retiring ── older requests done ──> free
/// ```
///
/// A cluster that is given back is still pointed to by the file until the next commit, and may still be read by a
/// request that looked it up before; only then its counter is lowered.
final class ClusterAllocator {
    private static final int MAX_WAITING_RUNS = 1 << 16;

    /// @param fresh whether the bytes have never been written, so that they read as zeroes
    record Run(long offset, long clusters, boolean fresh) {}

    /// Clusters given back.
    ///
    /// @param discard whether the host gets its space back
    record Freed(long offset, long clusters, boolean discard) {}

    /// Freed clusters, and the epoch of requests that must be over before they are used again.
    private record Retiring(List<Freed> freed, long epoch) {}

    private final Volume volume;
    private final Geometry geometry;
    private long cursor;
    /// From here on, nothing has been written to the file.
    private long freshFrom;
    private boolean grown;
    /// Where the next compressed cluster goes, 0 if there is no begun cluster.
    private long compressedOffset;

    private List<Freed> waiting = new ArrayList<>();
    private List<Freed> committing = new ArrayList<>();
    private final List<Retiring> retiring = new ArrayList<>();

    ClusterAllocator(Volume volume, long fileBytes) {
        this.volume = volume;
        this.geometry = volume.geometry;
        freshFrom = geometry.alignUp(fileBytes);
    }

    /// Something was put there without being asked for here.
    void occupied(long endOffset) {
        grown = true;
        freshFrom = Math.max(freshFrom, endOffset);
    }

    /// The end of everything that was ever allotted or written.
    long end() {
        return freshFrom;
    }

    /// Whether anything was allotted at all.
    boolean grown() {
        return grown;
    }

    /// The file was cut; what is behind reads as zeroes again.
    void truncated(long fileBytes) {
        freshFrom = geometry.alignUp(fileBytes);
        cursor = Math.min(cursor, freshFrom >>> geometry.clusterBits());
        compressedOffset = 0;
    }

    /// Some free clusters that lie side by side, at most as many as wanted, at least one.
    Run allocate(long wanted) throws IOException {
        long cluster = volume.refcounts.nextFree(cursor);
        return take(cluster, volume.refcounts.freeRun(cluster, wanted));
    }

    /// So many clusters side by side.
    Run allocateTogether(long clusters) throws IOException {
        long start = volume.refcounts.nextFree(cursor);
        while (true) {
            long have = 0;
            while (have < clusters) {
                long run = volume.refcounts.nextFree(start + have) == start + have
                        ? volume.refcounts.freeRun(start + have, clusters - have)
                        : 0;
                if (run == 0) {
                    break;
                }
                have += run;
            }
            if (have >= clusters) {
                return takeKeepingCursor(start, clusters);
            }
            start = volume.refcounts.nextFree(start + have);
        }
    }

    private Run take(long cluster, long clusters) throws IOException {
        Run run = takeKeepingCursor(cluster, clusters);
        cursor = cluster + clusters;
        return run;
    }

    private Run takeKeepingCursor(long cluster, long clusters) throws IOException {
        long offset = cluster << geometry.clusterBits();
        long bytes = clusters << geometry.clusterBits();
        if (offset + bytes > 1L << 56) {
            throw new IOException("Cannot enlarge %s: qcow2 ends at 64 PiB".formatted(volume.file.name()));
        }
        long metadata = volume.metadata.overlap(offset, bytes);
        if (metadata >= 0) {
            throw volume.corrupt("cluster 0x%x is counted as free and holds metadata".formatted(metadata));
        }
        volume.refcounts.add(cluster, clusters, 1);
        boolean fresh = offset >= freshFrom;
        occupied(offset + bytes);
        return new Run(offset, clusters, fresh);
    }

    /// Room for compressed data, which need not begin with a cluster; every cluster it touches is counted once
    /// more.
    long allocateBytes(int bytes) throws IOException {
        int cluster = geometry.clusterBytes();
        if (compressedOffset != 0) {
            long begun = geometry.alignDown(compressedOffset);
            int room = (int) (begun + cluster - compressedOffset);
            // Sectors are what a descriptor counts, so the tail of the last one is not given away.
            boolean fits = bytes <= room;
            if (volume.refcounts.get(begun >>> geometry.clusterBits()) < geometry.maxRefcount()) {
                if (fits) {
                    volume.refcounts.add(begun >>> geometry.clusterBits(), 1, 1);
                    return advance(compressedOffset, bytes);
                }
                long next = (begun >>> geometry.clusterBits()) + 1;
                if (volume.refcounts.nextFree(next) == next) {
                    volume.refcounts.add(begun >>> geometry.clusterBits(), 1, 1);
                    takeKeepingCursor(next, 1);
                    return advance(compressedOffset, bytes);
                }
            }
        }
        return advance(allocate(1).offset(), bytes);
    }

    /// The cluster that compressed data was last put into may be gone.
    void beginCompressedAnew() {
        compressedOffset = 0;
    }

    private long advance(long offset, int bytes) {
        long end = offset + bytes;
        compressedOffset = geometry.inCluster(end) == 0 ? 0 : end;
        return offset;
    }

    /// Gives back what an L2 entry used that is no longer there.
    void release(long entry, boolean discard) {
        if (volume.externalData() || entry == 0) {
            return;
        }
        if (L2Entry.compressed(entry)) {
            long offset = L2Entry.compressedOffset(entry, geometry.clusterBits());
            long end = offset + L2Entry.compressedBytes(entry, geometry.clusterBits());
            long start = geometry.alignDown(offset);
            freeLater(start, geometry.clusters(end - start), false);
        } else if (L2Entry.host(entry) != 0) {
            freeLater(L2Entry.host(entry), 1, discard);
        }
    }

    /// Gives back one use of each cluster.
    void freeLater(long offset, long clusters, boolean discard) {
        if (clusters == 0) {
            return;
        }
        if (compressedOffset != 0
                && geometry.alignDown(compressedOffset) >= offset
                && geometry.alignDown(compressedOffset) < offset + (clusters << geometry.clusterBits())) {
            compressedOffset = 0;
        }
        if (!waiting.isEmpty()) {
            Freed last = waiting.getLast();
            if (last.offset + (last.clusters << geometry.clusterBits()) == offset && last.discard == discard) {
                waiting.set(waiting.size() - 1, new Freed(last.offset, last.clusters + clusters, discard));
                return;
            }
        }
        waiting.add(new Freed(offset, clusters, discard));
    }

    boolean waitingIsLong() {
        return waiting.size() > MAX_WAITING_RUNS;
    }

    boolean nothingFreed() {
        return waiting.isEmpty() && retiring.isEmpty();
    }

    /// A commit begins: what is freed until now goes with it.
    void commitBegins() {
        committing.addAll(waiting);
        waiting = new ArrayList<>();
    }

    /// It is durable.
    void commitEnds(long epoch) {
        if (!committing.isEmpty()) {
            retiring.add(new Retiring(committing, epoch));
            committing = new ArrayList<>();
        }
    }

    /// What no request can use any more.
    List<Freed> takeRetired(long safeEpoch) {
        List<Freed> retired = new ArrayList<>();
        while (!retiring.isEmpty() && retiring.getFirst().epoch < safeEpoch) {
            retired.addAll(retiring.removeFirst().freed);
        }
        return retired;
    }

    /// Lowers the counters: from now on the clusters may be used.
    void release(List<Freed> retired) throws IOException {
        for (Freed freed : retired) {
            long first = freed.offset >>> geometry.clusterBits();
            volume.refcounts.add(first, freed.clusters, -1);
            cursor = Math.min(cursor, first);
        }
    }
}
