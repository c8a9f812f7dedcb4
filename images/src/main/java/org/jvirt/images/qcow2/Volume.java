package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;

/// An open image: its files, its header and its tables. Thread-safe where a method does not end in `Locked`.
///
/// Locks, in the order in which they are taken: [RequestGate], [Committer]'s, [#lock]. Under [#lock] are the header
/// and all tables; no guest data is read or written there.
@SuppressWarnings("ReferenceEquality") // one file may be both
final class Volume {
    private static final Logger LOG = System.getLogger(Volume.class.getName());

    final ImageFile file;
    /// Where guest clusters are: the same file, or an external one.
    final ImageFile data;

    final boolean readOnly;
    final Qcow2Header header;
    final Geometry geometry;
    final ReentrantLock lock = new ReentrantLock();
    /// A cluster that was being changed is done.
    final Condition changed = lock.newCondition();

    final RequestGate gate;
    final MetadataMap metadata;
    final Refcounts refcounts;
    final ClusterAllocator allocator;
    final ClusterMap map;
    final Committer committer = new Committer(this);
    final ClusterCipher cipher;
    private volatile Optional<DiskImage> backing;
    private final Tables tables;
    /// Whether bytes in memory differ from the file for good: an error was found.
    private volatile @Nullable String broken;

    Volume(
            ImageFile file,
            ImageFile data,
            boolean readOnly,
            Qcow2Header header,
            Tables tables,
            ClusterCipher cipher,
            Optional<DiskImage> backing,
            RequestGate gate)
            throws IOException {
        this.file = file;
        this.data = data;
        this.readOnly = readOnly;
        this.header = header;
        this.cipher = cipher;
        this.backing = backing;
        this.tables = tables;
        this.gate = gate;
        geometry = header.geometry();
        metadata = new MetadataMap(geometry.clusterBits());
        refcounts = new Refcounts(this, tables.refcountTable);
        allocator = new ClusterAllocator(this, file.sizeBytes());
        map = new ClusterMap(this, tables.l1, tables.cacheBytes);
        if (!readOnly) {
            mapTables(tables.l1);
            metadata.addRange(header.l1Offset, header.l1Size * 8L);
            metadata.addRange(
                    header.refcountTableOffset, (long) header.refcountTableClusters << geometry.clusterBits());
        }
    }

    /// What is read before the volume exists.
    ///
    /// @param lazyRefcounts what the user wants instead of what the image says
    record Tables(long[] refcountTable, long[] l1, long cacheBytes, Optional<Boolean> lazyRefcounts) {}

    /// Notes where the L2 tables of the active L1 table and the refcount blocks are.
    void mapTables(long[] l1) {
        metadata.clearSingles();
        for (long entry : refcounts.table()) {
            if (entry != 0) {
                metadata.add(entry);
            }
        }
        for (long entry : l1) {
            long offset = entry & Qcow2Header.OFFSET_MASK;
            if (offset != 0) {
                metadata.add(offset);
            }
        }
    }

    Optional<DiskImage> backing() {
        return backing;
    }

    /// Alone.
    Optional<DiskImage> replaceBacking(Optional<DiskImage> below) {
        Optional<DiskImage> before = backing;
        backing = below;
        return before;
    }

    long cacheBytes() {
        return tables.cacheBytes;
    }

    Optional<Boolean> lazyChoice() {
        return tables.lazyRefcounts;
    }

    boolean usable() {
        return broken == null;
    }

    boolean externalData() {
        return data != file;
    }

    /// Whether counters may wait until the image is closed.
    boolean lazy() {
        return header.version == 3 && tables.lazyRefcounts.orElse(header.lazyRefcounts());
    }

    /// @throws IOException if it was found to be corrupt
    void checkUsable() throws IOException {
        String why = broken;
        if (why != null) {
            throw new IOException("Cannot use %s: it is corrupt: %s; close it, and repair it with check -r all"
                    .formatted(file.name(), why));
        }
    }

    /// Notes an error in the metadata: the image is not used any further, and says so to whoever opens it next.
    ///
    /// @return to be thrown
    IOException corrupt(String what) {
        String message = "%s is corrupt: %s; repair it with check -r all".formatted(file.name(), what);
        if (!readOnly && broken == null) {
            broken = what;
            LOG.log(Level.ERROR, message);
            if (header.version == 3) {
                header.incompatible |= Feature.CORRUPT.mask();
                try {
                    writeHeaderFields();
                    file.flush();
                } catch (IOException e) {
                    LOG.log(Level.ERROR, "Cannot mark %s as corrupt".formatted(file.name()), e);
                }
            }
        }
        return new IOException(message);
    }

    /// Brings the fixed fields to the file, all in its first sector and in one write. Under the lock, or alone.
    void writeHeaderFields() throws IOException {
        byte[] all = header.fixedFields();
        file.write(Qcow2Header.FIELDS_FROM, MemorySegment.ofArray(all));
    }

    /// Writes the whole header, after a change of extensions or the backing file. Alone.
    void writeHeader() throws IOException {
        BigEndian.write(file, 0, header.encode(file.name()));
    }

    /// Says in the file that counters may be wrong, durably. Under the lock, or alone; does nothing in version 2.
    void markDirty() throws IOException {
        if (header.version == 3 && !header.has(Feature.DIRTY)) {
            header.incompatible |= Feature.DIRTY.mask();
            writeHeaderFields();
            file.flush();
        }
    }

    /// Takes the mark back, when everything is written. Alone.
    void markClean() throws IOException {
        if (header.has(Feature.DIRTY)) {
            committer.commitAll();
            header.incompatible &= ~Feature.DIRTY.mask();
            writeHeaderFields();
            file.flush();
        }
    }

    /// Commits if there is much in memory that the file does not have. Looks without the lock, as a hint suffices.
    void relieve() throws IOException {
        if (map.cache.crowded() || allocator.waitingIsLong()) {
            committer.commit();
        }
    }

    /// Gives free what no request can use any more. The committer calls it, one thread at a time.
    void releaseRetired() throws IOException {
        List<ClusterAllocator.Freed> retired;
        lock.lock();
        try {
            retired = allocator.takeRetired(gate.alone() ? Long.MAX_VALUE : gate.safeEpoch());
        } finally {
            lock.unlock();
        }
        for (ClusterAllocator.Freed freed : retired) {
            if (freed.discard()) {
                discardUnused(freed);
            }
        }
        lock.lock();
        try {
            allocator.release(retired);
        } finally {
            lock.unlock();
        }
    }

    private void discardUnused(ClusterAllocator.Freed freed) throws IOException {
        long runStart = freed.offset();
        long end = freed.offset() + (freed.clusters() << geometry.clusterBits());
        for (long at = freed.offset(); at <= end; at += geometry.clusterBytes()) {
            if (at == end || usedTwice(at)) {
                if (at > runStart) {
                    file.discard(runStart, at - runStart);
                }
                runStart = at + geometry.clusterBytes();
            }
        }
    }

    private boolean usedTwice(long offset) throws IOException {
        lock.lock();
        try {
            return refcounts.get(offset >>> geometry.clusterBits()) != 1;
        } finally {
            lock.unlock();
        }
    }

    /// Alone: brings everything to the file and frees all that is to be freed.
    void settle() throws IOException {
        committer.commitAll();
        // What was freed by that lowers counters, which are to be written, too.
        if (refcounts.dirty() || !allocator.nothingFreed()) {
            committer.commitAll();
        }
    }
}
