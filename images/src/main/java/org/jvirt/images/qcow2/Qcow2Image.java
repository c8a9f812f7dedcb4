package org.jvirt.images.qcow2;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.ImageSnapshots;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// An open qcow2 image. Thread-safe: requests of several threads run side by side; operations on the whole image
/// wait for them and keep new ones out.
public final class Qcow2Image implements DiskImage {
    private static final int SECTOR_BYTES = 512;

    private final RequestGate gate;
    private volatile Parts parts;
    private volatile long sizeBytes;
    private volatile List<SnapshotEntry> snapshotEntries;
    private final Qcow2Snapshots snapshots = new Qcow2Snapshots(this);
    private final Qcow2Bitmaps bitmaps;
    /// Of an encrypted image: writes that begin or end within a sector.
    private final ReentrantLock partialSectors = new ReentrantLock();
    private final AtomicBoolean closed = new AtomicBoolean();

    /// What serves requests; made anew when tables were rewritten behind its back.
    record Parts(
            Volume volume,
            GuestMap map,
            GuestReader reader,
            GuestWriter writer,
            ClusterZeroer zeroer,
            ClusterCompression compression) {
        static Parts of(Volume volume) {
            var map = new GuestMap(volume);
            var compression = new ClusterCompression(volume);
            var reader = new GuestReader(volume, map, compression);
            var writer = new GuestWriter(volume, map, reader, compression);
            return new Parts(volume, map, reader, writer, new ClusterZeroer(volume, map, reader, writer), compression);
        }
    }

    /// @param damaged whether broken tables of snapshots and bitmaps are to be overlooked, for a check
    Qcow2Image(Volume volume, boolean damaged) throws IOException {
        gate = volume.gate;
        parts = Parts.of(volume);
        sizeBytes = volume.header.size;
        List<SnapshotEntry> entries = List.of();
        List<BitmapEntry> maps = List.of();
        try {
            entries = readSnapshots(volume);
            maps = new BitmapStore(volume).readDirectory();
        } catch (UserErrorException e) {
            if (!damaged) {
                throw e;
            }
        }
        snapshotEntries = entries;
        bitmaps = new Qcow2Bitmaps(this, maps);
    }

    private static List<SnapshotEntry> readSnapshots(Volume volume) throws IOException {
        Qcow2Header header = volume.header;
        List<SnapshotEntry> entries =
                SnapshotEntry.readTable(volume.file, header.snapshotsOffset, header.snapshotCount);
        long bytes = entries.stream().mapToLong(SnapshotEntry::storedBytes).sum();
        volume.metadata.addRange(header.snapshotsOffset, bytes);
        for (SnapshotEntry entry : entries) {
            if (entry.l1Size() > 0 && entry.l1Offset() > 0) {
                volume.metadata.addRange(entry.l1Offset(), entry.l1Size() * 8L);
            }
        }
        return entries;
    }

    List<SnapshotEntry> snapshotEntries() {
        return snapshotEntries;
    }

    void snapshotEntries(List<SnapshotEntry> entries) {
        snapshotEntries = List.copyOf(entries);
    }

    /// The header's size has changed.
    void resized() {
        sizeBytes = parts.volume.header.size;
    }

    /// What a request does.
    interface Request {
        void run(Parts parts) throws IOException;
    }

    /// Something done with the volume.
    interface Work<T extends @Nullable Object> {
        T run(Volume volume) throws IOException;
    }

    void request(Request request) throws IOException {
        long entered = gate.enter();
        try {
            Parts now = parts;
            now.volume.checkUsable();
            request.run(now);
        } finally {
            gate.leave(entered);
        }
    }

    /// Runs beside requests, or alone if the caller is.
    <T> T inside(Work<T> work) throws IOException {
        long entered = gate.enter();
        try {
            return work.run(parts.volume);
        } finally {
            gate.leave(entered);
        }
    }

    /// Runs while no request is under way, with everything in the file.
    <T extends @Nullable Object> T alone(Work<T> work) throws IOException {
        gate.enterAlone();
        try {
            Volume volume = parts.volume;
            volume.checkUsable();
            if (volume.readOnly) {
                throw new UserErrorException("Cannot change %s: it was opened read-only".formatted(name()));
            }
            volume.settle();
            return work.run(volume);
        } finally {
            gate.leaveAlone();
        }
    }

    /// Reads header and tables anew. Alone.
    void reload() throws IOException {
        Volume old = parts.volume;
        Qcow2Header header = Qcow2Header.read(old.file);
        int tableEntries = header.refcountTableClusters << header.clusterBits - 3;
        var tables = new Volume.Tables(
                BigEndian.readTable(old.file, header.refcountTableOffset, tableEntries),
                BigEndian.readTable(old.file, header.l1Offset, header.l1Size),
                old.cacheBytes(),
                old.lazyChoice());
        var volume = new Volume(old.file, old.data, old.readOnly, header, tables, old.cipher, old.backing(), gate);
        snapshotEntries = readSnapshots(volume);
        parts.compression.close();
        parts = Parts.of(volume);
        sizeBytes = header.size;
    }

    @Override
    public String name() {
        return parts.volume.file.name();
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.QCOW2;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return parts.volume.readOnly;
    }

    @Override
    public Optional<DiskImage> backing() {
        return parts.volume.backing();
    }

    @Override
    public long clusterBytes() {
        return parts.volume.geometry.clusterBytes();
    }

    private void bound(String verb, long offset, long length) throws IOException {
        if (offset < 0 || length < 0 || length > sizeBytes - offset) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, length, offset, name(), sizeBytes));
        }
    }

    private void writable(String verb, long offset, long length) throws IOException {
        if (readOnly()) {
            throw new IOException("Cannot %s %s: it was opened read-only".formatted(verb, name()));
        }
        bound(verb, offset, length);
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long entered = gate.enter();
        try {
            bound("read", offsetBytes, Segments.size(into));
            Parts now = parts;
            now.volume.checkUsable();
            now.reader.read(offsetBytes, into);
        } finally {
            gate.leave(entered);
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long length = Segments.size(from);
        request(now -> {
            writable("write", offsetBytes, length);
            bitmaps.changing(now.volume, offsetBytes, length);
            if (now.volume.cipher.encrypted() && ((offsetBytes | length) & SECTOR_BYTES - 1) != 0) {
                writePartialSectors(now, offsetBytes, length, from);
            } else {
                now.writer.write(offsetBytes, from);
            }
        });
    }

    private void writePartialSectors(Parts now, long offset, long length, List<MemorySegment> from) throws IOException {
        partialSectors.lock();
        try {
            long start = offset & -SECTOR_BYTES;
            long end = offset + length + SECTOR_BYTES - 1 & -SECTOR_BYTES;
            MemorySegment whole = MemorySegment.ofArray(new byte[Math.toIntExact(end - start)]);
            now.reader.read(start, List.of(whole));
            Segments.gather(from, whole.asSlice(offset - start, length));
            now.writer.write(start, List.of(whole));
        } finally {
            partialSectors.unlock();
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        request(now -> {
            writable("zero", offsetBytes, lengthBytes);
            bitmaps.changing(now.volume, offsetBytes, lengthBytes);
            zero(now, offsetBytes, lengthBytes, mayUnmap);
        });
    }

    /// Encrypted sectors are zeroed as a whole, or read and written again.
    void zero(Parts now, long offset, long length, boolean mayUnmap) throws IOException {
        long from = offset;
        long to = offset + length;
        if (now.volume.cipher.encrypted()) {
            from = Math.min(to, from + SECTOR_BYTES - 1 & -SECTOR_BYTES);
            to = Math.max(from, to & -SECTOR_BYTES);
            zeroPartialSector(now, offset, from - offset);
            zeroPartialSector(now, to, offset + length - to);
        }
        if (from < to) {
            now.zeroer.writeZeroes(from, to - from, mayUnmap);
        }
    }

    private void zeroPartialSector(Parts now, long offset, long length) throws IOException {
        if (length > 0) {
            writePartialSectors(now, offset, length, List.of(MemorySegment.ofArray(new byte[(int) length])));
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        request(now -> {
            writable("discard", offsetBytes, lengthBytes);
            bitmaps.changing(now.volume, offsetBytes, lengthBytes);
            now.zeroer.discard(offsetBytes, lengthBytes);
        });
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) throws IOException {
        request(now -> {
            writable("write", offsetBytes, content.byteSize());
            long end = offsetBytes + content.byteSize();
            if (now.volume.geometry.inCluster(offsetBytes) != 0
                    || content.byteSize() != clusterBytes()
                            && (content.byteSize() > clusterBytes() || end != sizeBytes)) {
                throw new IOException("Cannot write %d compressed bytes at %d of %s: only whole clusters of %d can be"
                        .formatted(content.byteSize(), offsetBytes, name(), clusterBytes()));
            }
            bitmaps.changing(now.volume, offsetBytes, content.byteSize());
            now.writer.writeCompressed(offsetBytes, content);
        });
    }

    @Override
    public void flush() throws IOException {
        request(now -> {
            if (!now.volume.readOnly) {
                now.volume.committer.commit();
            }
        });
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        var first = new Mapping();
        var next = new Mapping();
        long entered = gate.enter();
        try {
            bound("map", offsetBytes, 1);
            long limit = Math.min(limitBytes, sizeBytes - offsetBytes);
            GuestMap map = parts.map;
            map.find(offsetBytes, limit, false, first);
            while (first.length < limit) {
                map.find(offsetBytes + first.length, limit - first.length, false, next);
                boolean follows = next.kind != Mapping.Kind.DATA || next.host == first.host + first.length;
                if (next.kind != first.kind || !follows) {
                    break;
                }
                first.length += next.length;
            }
        } finally {
            gate.leave(entered);
        }
        if (first.kind == Mapping.Kind.DATA && !parts.volume.cipher.encrypted()) {
            return Extent.data(offsetBytes, first.length, first.host);
        }
        return new Extent(
                offsetBytes,
                first.length,
                first.kind.state(),
                java.util.OptionalLong.empty(),
                first.kind == Mapping.Kind.COMPRESSED);
    }

    @Override
    public ImageInfo info() throws IOException {
        return inside(volume -> Qcow2Description.of(this, volume, snapshots.list(), bitmaps.entries()));
    }

    @Override
    public Optional<ImageSnapshots> snapshots() {
        return Optional.of(snapshots);
    }

    @Override
    public Optional<ImageBitmaps> bitmaps() {
        return Optional.of(bitmaps);
    }

    Qcow2Bitmaps qcow2Bitmaps() {
        return bitmaps;
    }

    boolean vmStateNeedsRoom(long bytes) throws IOException {
        return inside(volume -> {
            Geometry geometry = volume.geometry;
            long start = geometry.l1Entries(volume.header.size) << geometry.l1SpanBits();
            return geometry.l1Entries(start + bytes) > volume.map.l1().length;
        });
    }

    @Override
    public void resize(long newSizeBytes, Preallocation preallocation) throws IOException {
        alone(volume -> {
            new Qcow2Resize(this, parts).resize(newSizeBytes, preallocation);
            return null;
        });
    }

    @Override
    public void makeEmpty() throws IOException {
        alone(volume -> {
            volume.map.dropTables(0);
            volume.settle();
            if (volume.externalData() && !volume.header.dataFileRaw()) {
                volume.data.discard(0, volume.header.size);
            }
            new Qcow2Resize(this, parts).cutFile();
            return null;
        });
    }

    @Override
    public CheckReport check(Repair repair) throws IOException {
        gate.enterAlone();
        try {
            Volume volume = parts.volume;
            if (volume.readOnly && repair != Repair.NONE) {
                throw new UserErrorException("Cannot repair %s: it was opened read-only".formatted(name()));
            }
            if (!volume.readOnly && volume.usable()) {
                volume.settle();
            }
            CheckReport report = new Qcow2Check(volume).check(repair);
            if (repair != Repair.NONE) {
                reload();
            }
            return report;
        } finally {
            gate.leaveAlone();
        }
    }

    @Override
    public void changeBacking(Optional<String> reference, Optional<String> backingFormat) throws IOException {
        alone(volume -> {
            new Qcow2Amend(this, volume).changeBacking(reference, backingFormat);
            return null;
        });
    }

    @Override
    public Optional<DiskImage> replaceBacking(Optional<DiskImage> below) {
        gate.enterAlone();
        try {
            return parts.volume.replaceBacking(below);
        } finally {
            gate.leaveAlone();
        }
    }

    @Override
    public List<CreateOption> amendOptions() {
        return Qcow2Amend.options();
    }

    @Override
    public void amend(Map<String, String> options, ImageOpener opener) throws IOException {
        alone(volume -> {
            Qcow2Amend.amend(this, options, opener);
            return null;
        });
    }

    /// The parts in use now. For operations that are alone.
    Parts parts() {
        return parts;
    }

    @Override
    @SuppressWarnings("try") // the parts are named to be closed, whatever fails before
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        gate.enterAlone();
        Volume volume = parts.volume;
        try (var file = volume.file;
                var data = volume.externalData() ? volume.data : null;
                var below = volume.backing().orElse(null)) {
            if (!volume.readOnly && volume.usable()) {
                volume.settle();
                bitmaps.close(volume);
                volume.markClean();
                if (file.sizeBytes() < volume.allocator.end() && volume.allocator.grown()) {
                    file.truncate(volume.allocator.end());
                }
            }
            parts.compression.close();
        } finally {
            gate.leaveAlone();
        }
    }
}
