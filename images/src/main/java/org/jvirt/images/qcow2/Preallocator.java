package org.jvirt.images.qcow2;

import java.io.IOException;
import org.jvirt.images.format.Preallocation;

/// Gives guest clusters their place before they are written.
final class Preallocator {
    private Preallocator() {}

    /// Allots all clusters that have none. The volume is not in use by requests.
    ///
    /// @param mapped whether the clusters become data (zeroes); otherwise the layer below shines through their
    ///               subclusters until they are written
    static void fill(Volume volume, long from, long to, Preallocation preallocation, boolean mapped)
            throws IOException {
        if (preallocation == Preallocation.OFF) {
            return;
        }
        Geometry geometry = volume.geometry;
        long end = geometry.alignUp(to);
        for (long guest = geometry.alignUp(from); guest < end; ) {
            volume.relieve();
            volume.lock.lock();
            try {
                L2Slice slice = volume.map.writableSlice(guest);
                int at = volume.map.inSlice(guest);
                long wanted = Math.min(
                        end - guest >>> geometry.clusterBits(), (slice.entries.length - at) / geometry.l2EntryBytes());
                long host = guest;
                if (!volume.externalData()) {
                    ClusterAllocator.Run run = volume.allocator.allocate(wanted);
                    wanted = run.clusters();
                    host = run.offset();
                    if (mapped && !run.fresh()) {
                        volume.file.writeZeroes(host, wanted << geometry.clusterBits(), true);
                    }
                }
                long bytes = wanted << geometry.clusterBits();
                reserve(
                        volume,
                        host,
                        volume.externalData() ? Math.min(bytes, to - host) : bytes,
                        preallocation,
                        mapped);
                for (long i = 0; i < wanted; i++) {
                    slice.set(at, host + (i << geometry.clusterBits()) | L2Entry.COPIED);
                    if (geometry.extendedL2()) {
                        slice.set(at + 8, mapped ? geometry.subclusterMask() : 0);
                    }
                    at += geometry.l2EntryBytes();
                }
                guest += bytes;
            } finally {
                volume.lock.unlock();
            }
        }
        if (!volume.externalData() && volume.file.sizeBytes() < volume.allocator.end()) {
            volume.file.truncate(volume.allocator.end());
        }
    }

    private static void reserve(Volume volume, long host, long bytes, Preallocation preallocation, boolean mapped)
            throws IOException {
        switch (preallocation) {
            case OFF, METADATA -> {}
            case FALLOC -> volume.data.allocate(host, bytes);
            case FULL -> {
                if (mapped || !volume.externalData()) {
                    volume.data.writeZeroes(host, bytes, false);
                }
            }
        }
    }
}
