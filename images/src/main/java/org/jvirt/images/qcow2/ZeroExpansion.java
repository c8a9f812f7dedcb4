package org.jvirt.images.qcow2;

import java.io.IOException;

/// Replaces clusters that are marked as zeroes, for version 2, which has no such mark. The caller is alone.
final class ZeroExpansion {
    private final Volume volume;
    private final Geometry geometry;
    private final GuestReader reader;

    ZeroExpansion(Volume volume, Qcow2Image.Parts parts) {
        this.volume = volume;
        this.geometry = volume.geometry;
        this.reader = parts.reader();
    }

    void expand() throws IOException {
        long end = (long) volume.map.l1().length << geometry.l1SpanBits();
        for (long guest = 0; guest < end; ) {
            if (volume.map.tableOf(guest) == 0) {
                guest += 1L << geometry.l1SpanBits();
                continue;
            }
            volume.relieve();
            expand(guest);
            guest += geometry.clusterBytes();
        }
    }

    private void expand(long guest) throws IOException {
        volume.lock.lock();
        try {
            L2Slice slice = volume.map.slice(volume.map.tableOf(guest), guest);
            int at = volume.map.inSlice(guest);
            long entry = slice.get(at);
            if (L2Entry.compressed(entry) || (entry & L2Entry.ZERO) == 0) {
                return;
            }
            long now;
            if (volume.backing().isEmpty() || reader.below(guest, geometry.clusterBytes()) == 0) {
                now = 0;
                volume.allocator.release(entry, true);
            } else if (L2Entry.host(entry) != 0 && L2Entry.copied(entry)) {
                now = entry & ~L2Entry.ZERO;
                volume.file.writeZeroes(L2Entry.host(entry), geometry.clusterBytes(), false);
            } else {
                ClusterAllocator.Run run = volume.allocator.allocate(1);
                volume.file.writeZeroes(run.offset(), geometry.clusterBytes(), false);
                volume.allocator.release(entry, false);
                now = run.offset() | L2Entry.COPIED;
            }
            volume.map.writableSlice(guest).set(at, now);
        } finally {
            volume.lock.unlock();
        }
    }
}
