package org.jvirt.images.overlay;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;

/// A disk whose writes go to memory and are forgotten at the end; the disk below is only read.
///
/// Memory is taken in clusters of 64 KiB as they are first written; a cluster of zeroes takes none. When the
/// limit is reached, writes to further clusters fail as on a full disk. Thread-safe: readers share, writers
/// exclude.
public final class SnapshotOverlay implements BlockBackend {
    private static final int CLUSTER_BYTES = 64 << 10;
    /// Stands for a cluster of zeroes.
    private static final byte[] ZEROES = {};

    /// Stands for a cluster that is only below. Never in the map.
    private static final byte[] BELOW = {0};

    private final BlockBackend below;
    private final long limitBytes;
    private final Map<Long, byte[]> clusters = new HashMap<>(); // guarded by lock
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private long heldBytes; // guarded by lock

    /// Takes `below` over.
    ///
    /// @param limitBytes how much memory clusters may take, at least 64 KiB
    public SnapshotOverlay(BlockBackend below, long limitBytes) {
        if (limitBytes < CLUSTER_BYTES) {
            throw new UserErrorException("A snapshot disk needs at least 65536 bytes of memory, not " + limitBytes);
        }
        this.below = below;
        this.limitBytes = limitBytes;
    }

    @Override
    public String name() {
        return below.name();
    }

    @Override
    public long sizeBytes() {
        return below.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return false;
    }

    /// Memory that clusters take now.
    public long heldBytes() {
        lock.readLock().lock();
        try {
            return heldBytes;
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        check(offsetBytes, total(into));
        lock.readLock().lock();
        try {
            long at = offsetBytes;
            for (MemorySegment segment : into) {
                readSegment(at, segment);
                at += segment.byteSize();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private void readSegment(long offsetBytes, MemorySegment into) throws IOException {
        long done = 0;
        while (done < into.byteSize()) {
            long at = offsetBytes + done;
            long end = offsetBytes + into.byteSize();
            byte[] cluster = clusters.get(at / CLUSTER_BYTES);
            if (cluster != null) {
                int inside = (int) (at % CLUSTER_BYTES);
                long part = Math.min(end - at, CLUSTER_BYTES - inside);
                if (isZeroes(cluster)) {
                    into.asSlice(done, part).fill((byte) 0);
                } else {
                    MemorySegment.copy(MemorySegment.ofArray(cluster), inside, into, done, part);
                }
                done += part;
            } else {
                // Neighbours that are not in memory either come with one read.
                long next = (at / CLUSTER_BYTES + 1) * CLUSTER_BYTES;
                while (next < end && !clusters.containsKey(next / CLUSTER_BYTES)) {
                    next += CLUSTER_BYTES;
                }
                long part = Math.min(end, next) - at;
                below.read(at, List.of(into.asSlice(done, part)));
                done += part;
            }
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        check(offsetBytes, total(from));
        lock.writeLock().lock();
        try {
            long at = offsetBytes;
            for (MemorySegment segment : from) {
                writeSegment(at, segment);
                at += segment.byteSize();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void writeSegment(long offsetBytes, MemorySegment from) throws IOException {
        long done = 0;
        while (done < from.byteSize()) {
            long at = offsetBytes + done;
            int inside = (int) (at % CLUSTER_BYTES);
            long part = Math.min(from.byteSize() - done, CLUSTER_BYTES - inside);
            byte[] cluster = writable(at / CLUSTER_BYTES, part == CLUSTER_BYTES);
            MemorySegment.copy(from, done, MemorySegment.ofArray(cluster), inside, part);
            done += part;
        }
    }

    private static boolean isZeroes(byte[] cluster) {
        return cluster.length == 0;
    }

    /// The cluster as bytes of its own.
    ///
    /// @param whole whether all of it will be overwritten
    private byte[] writable(long index, boolean whole) throws IOException {
        byte[] present = clusters.get(index);
        if (present != null && !isZeroes(present)) {
            return present;
        }
        if (heldBytes + CLUSTER_BYTES > limitBytes) {
            throw new IOException("Snapshot of %s is full: %d bytes of memory are in use".formatted(name(), heldBytes));
        }
        var fresh = new byte[CLUSTER_BYTES];
        if (present == null && !whole) {
            long start = index * CLUSTER_BYTES;
            long length = Math.min(CLUSTER_BYTES, sizeBytes() - start);
            below.read(start, List.of(MemorySegment.ofArray(fresh).asSlice(0, length)));
        }
        clusters.put(index, fresh);
        heldBytes += CLUSTER_BYTES;
        return fresh;
    }

    /// Does nothing: there is nothing that must last.
    @Override
    public void flush() {}

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        writeZeroes(offsetBytes, lengthBytes, true);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        check(offsetBytes, lengthBytes);
        lock.writeLock().lock();
        try {
            long at = offsetBytes;
            long end = offsetBytes + lengthBytes;
            while (at < end) {
                int inside = (int) (at % CLUSTER_BYTES);
                int part = (int) Math.min(end - at, CLUSTER_BYTES - inside);
                if (part == CLUSTER_BYTES) {
                    byte[] dropped = clusters.put(at / CLUSTER_BYTES, ZEROES);
                    heldBytes -= dropped == null || isZeroes(dropped) ? 0 : CLUSTER_BYTES;
                } else if (!isZeroes(clusters.getOrDefault(at / CLUSTER_BYTES, BELOW))) {
                    byte[] cluster = writable(at / CLUSTER_BYTES, false);
                    MemorySegment.ofArray(cluster).asSlice(inside, part).fill((byte) 0);
                }
                at += part;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void check(long offsetBytes, long lengthBytes) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes() - offsetBytes) {
            throw new IOException("Cannot access %d bytes at %d of the snapshot of %s: it has %d bytes"
                    .formatted(lengthBytes, offsetBytes, name(), sizeBytes()));
        }
    }

    private static long total(List<MemorySegment> segments) {
        long sum = 0;
        for (MemorySegment segment : segments) {
            sum += segment.byteSize();
        }
        return sum;
    }

    @Override
    public void close() throws IOException {
        lock.writeLock().lock();
        try {
            clusters.clear();
            heldBytes = 0;
        } finally {
            lock.writeLock().unlock();
        }
        below.close();
    }
}
