package org.jvirt.images.qcow2;

import java.io.IOException;

/// Zeroes and discards without writing data, where the format can. Thread-safe; callers are inside the gate.
final class ClusterZeroer {
    private final Volume volume;
    private final Geometry geometry;
    private final GuestMap map;
    private final GuestReader reader;
    private final GuestWriter writer;

    ClusterZeroer(Volume volume, GuestMap map, GuestReader reader, GuestWriter writer) {
        this.volume = volume;
        this.geometry = volume.geometry;
        this.map = map;
        this.reader = reader;
        this.writer = writer;
    }

    void writeZeroes(long offset, long length, boolean mayUnmap) throws IOException {
        if (volume.header.dataFileRaw()) {
            // The data file must hold the zeroes itself.
            writer.writeZeroes(offset, length, mayUnmap);
            return;
        }
        int unit = volume.header.version == 2 ? geometry.clusterBytes() : geometry.subclusterBytes();
        long from = offset + unit - 1 & -unit;
        // Behind the end of the disk, the last cluster holds nothing.
        long end = offset + length;
        long to = end == volume.header.size ? end + unit - 1 & -unit : end & -unit;
        if (from >= to) {
            zeroPart(offset, length, mayUnmap);
            return;
        }
        if (offset < from) {
            zeroPart(offset, from - offset, mayUnmap);
        }
        for (long at = from; at < to; ) {
            long clusterEnd = Math.min(to, geometry.alignDown(at) + geometry.clusterBytes());
            if (!zeroInTable(at, clusterEnd, mayUnmap)) {
                writer.writeZeroes(at, Math.min(clusterEnd, volume.header.size) - at, mayUnmap);
            }
            at = clusterEnd;
        }
        if (to < end) {
            zeroPart(to, end - to, mayUnmap);
        }
    }

    /// Less than the smallest unit: nothing to do if it is zeroes already.
    private void zeroPart(long offset, long length, boolean mayUnmap) throws IOException {
        if (!readsAsZeroes(offset, length)) {
            writer.writeZeroes(offset, length, mayUnmap);
        }
    }

    private boolean readsAsZeroes(long offset, long length) throws IOException {
        var mapping = new Mapping();
        for (long at = offset; at < offset + length; at += mapping.length) {
            map.find(at, offset + length - at, false, mapping);
            boolean zero = switch (mapping.kind) {
                case ZERO, ZERO_ALLOCATED -> true;
                case ABSENT -> reader.below(at, mapping.length) == 0;
                case DATA, COMPRESSED -> false;
            };
            if (!zero) {
                return false;
            }
        }
        return true;
    }

    /// Zeroes subclusters of one cluster.
    ///
    /// @return whether the tables can say so
    private boolean zeroInTable(long from, long to, boolean mayUnmap) throws IOException {
        long cluster = geometry.alignDown(from);
        long mask = geometry.subclusterMask(from - cluster, to - cluster);
        boolean whole = mask == geometry.subclusterMask();
        volume.relieve();
        volume.lock.lock();
        try {
            writer.busy.await(cluster, cluster + geometry.clusterBytes());
            long table = volume.map.tableOf(cluster);
            long old = 0;
            long bitmap = 0;
            if (table != 0) {
                L2Slice slice = volume.map.slice(table, cluster);
                int at = volume.map.inSlice(cluster);
                old = slice.get(at);
                bitmap = geometry.extendedL2() ? slice.get(at + 8) : 0;
                map.check(old, bitmap, cluster);
            }
            if (volume.header.version == 2) {
                return zeroInVersion2(cluster, old, mayUnmap);
            }
            if (L2Entry.compressed(old) && !whole) {
                return false;
            }
            boolean keep = !(whole && mayUnmap) && L2Entry.hasHost(old, volume.externalData());
            long entry = keep ? old & ~L2Entry.ZERO : 0;
            long newBitmap = 0;
            if (geometry.extendedL2()) {
                long before = L2Entry.compressed(old) ? 0 : bitmap;
                newBitmap = before & ~mask | mask << 32;
            } else {
                entry |= L2Entry.ZERO;
            }
            if (entry == old && newBitmap == bitmap) {
                return true;
            }
            change(cluster, entry, newBitmap);
            if (!keep) {
                volume.allocator.release(old, mayUnmap);
            }
            return true;
        } finally {
            volume.lock.unlock();
        }
    }

    private boolean zeroInVersion2(long cluster, long old, boolean mayUnmap) throws IOException {
        if (reader.below(cluster, geometry.clusterBytes()) > 0) {
            return false;
        }
        if (old == 0) {
            return true;
        }
        if (!mayUnmap) {
            return false;
        }
        change(cluster, 0, 0);
        volume.allocator.release(old, true);
        return true;
    }

    private void change(long cluster, long entry, long bitmap) throws IOException {
        L2Slice slice = volume.map.writableSlice(cluster);
        int at = volume.map.inSlice(cluster);
        slice.set(at, entry);
        if (geometry.extendedL2()) {
            slice.set(at + 8, bitmap);
        }
    }

    /// Gives whole clusters back.
    void discard(long offset, long length) throws IOException {
        long from = geometry.alignUp(offset);
        long end = offset + length;
        long to = end == volume.header.size ? geometry.alignUp(end) : geometry.alignDown(end);
        if (volume.header.dataFileRaw()) {
            writeZeroes(offset, length, true);
            return;
        }
        var mapping = new Mapping();
        for (long at = from; at < to; ) {
            map.find(at, to - at, false, mapping);
            long run = mapping.length;
            boolean nothing = mapping.kind == Mapping.Kind.ZERO && geometry.inCluster(run) == 0
                    || mapping.kind == Mapping.Kind.ABSENT && run >= geometry.clusterBytes();
            if (nothing) {
                at += geometry.alignDown(run);
                continue;
            }
            discardCluster(at);
            at += geometry.clusterBytes();
        }
        if (volume.externalData() && from < to) {
            volume.data.discard(from, Math.min(to, volume.header.size) - from);
        }
    }

    private void discardCluster(long cluster) throws IOException {
        volume.relieve();
        volume.lock.lock();
        try {
            writer.busy.await(cluster, cluster + geometry.clusterBytes());
            long table = volume.map.tableOf(cluster);
            if (table == 0) {
                return;
            }
            long old = volume.map.slice(table, cluster).get(volume.map.inSlice(cluster));
            boolean below = reader.below(cluster, geometry.clusterBytes()) > 0;
            if (volume.header.version == 2 && below) {
                return;
            }
            boolean extended = geometry.extendedL2();
            long entry = volume.header.version == 2 || extended ? 0 : L2Entry.ZERO;
            change(cluster, entry, extended ? geometry.subclusterMask() << 32 : 0);
            volume.allocator.release(old, true);
        } finally {
            volume.lock.unlock();
        }
    }
}
