package org.jvirt.images.luks;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.SegmentCursor;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// An open LUKS volume. Thread-safe; requests of several threads are encrypted side by side.
///
/// What was never written reads as whatever its decryption gives, also after growing.
final class LuksImage implements DiskImage {
    private static final int SECTOR_BYTES = SectorCipher.SECTOR_BYTES;
    private static final int CHUNK_BYTES = 256 << 10;

    private final ImageFile file;
    private final LuksHeader opened;
    /// Absent in an image that was opened without passphrase.
    private final @Nullable LuksVolume volume;

    private final AtomicBoolean closed = new AtomicBoolean();
    /// Held where a sector is read to be written again.
    private final Object partialSectors = new Object();

    private volatile long sizeBytes;

    LuksImage(ImageFile file, LuksHeader header, @Nullable LuksVolume volume) throws IOException {
        this.file = file;
        this.opened = header;
        this.volume = volume;
        sizeBytes = (file.sizeBytes() - header.payloadOffset()) & -SECTOR_BYTES;
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.LUKS;
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return file.readOnly();
    }

    @Override
    public Optional<DiskImage> backing() {
        return Optional.empty();
    }

    @Override
    public long clusterBytes() {
        return SECTOR_BYTES;
    }

    private SectorCipher cipher() throws IOException {
        if (volume == null) {
            throw new IOException("%s is locked: open it with key-secret".formatted(name()));
        }
        return volume.cipher();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        var cursor = new SegmentCursor(into);
        check(offsetBytes, cursor.totalBytes(), "read");
        SectorCipher cipher = cipher();
        if (offsetBytes % SECTOR_BYTES == 0 && wholeSectors(into)) {
            file.read(opened.payloadOffset() + offsetBytes, into);
            long sector = offsetBytes / SECTOR_BYTES;
            for (MemorySegment segment : into) {
                cipher.decrypt(sector, segment, segment);
                sector += segment.byteSize() / SECTOR_BYTES;
            }
            return;
        }
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            long first = at & -SECTOR_BYTES;
            long wanted = Math.min(cursor.remainingBytes(), CHUNK_BYTES - SECTOR_BYTES);
            MemorySegment sectors = readSectors(cipher, first, roundUp(at + wanted) - first);
            copy(sectors, at - first, cursor.take(wanted));
            at += wanted;
        }
    }

    private static boolean wholeSectors(List<MemorySegment> segments) {
        for (MemorySegment segment : segments) {
            if (segment.byteSize() % SECTOR_BYTES != 0) {
                return false;
            }
        }
        return true;
    }

    private MemorySegment readSectors(SectorCipher cipher, long offset, long length) throws IOException {
        MemorySegment sectors = MemorySegment.ofArray(new byte[(int) length]);
        file.read(opened.payloadOffset() + offset, sectors);
        cipher.decrypt(offset / SECTOR_BYTES, sectors, sectors);
        return sectors;
    }

    private static void copy(MemorySegment from, long at, List<MemorySegment> into) {
        long done = at;
        for (MemorySegment segment : into) {
            var _ = segment.copyFrom(from.asSlice(done, segment.byteSize()));
            done += segment.byteSize();
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        var cursor = new SegmentCursor(from);
        checkWritable(offsetBytes, cursor.totalBytes());
        SectorCipher cipher = cipher();
        MemorySegment buffer =
                MemorySegment.ofArray(new byte[(int) Math.min(cursor.totalBytes() + 2 * SECTOR_BYTES, CHUNK_BYTES)]);
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            long inSector = at % SECTOR_BYTES;
            long part;
            if (inSector != 0 || cursor.remainingBytes() < SECTOR_BYTES) {
                part = Math.min(SECTOR_BYTES - inSector, cursor.remainingBytes());
                writePart(cipher, at, cursor.take(part));
            } else {
                part = Math.min(cursor.remainingBytes(), buffer.byteSize()) & -SECTOR_BYTES;
                MemorySegment sectors = buffer.asSlice(0, part);
                gather(cursor.take(part), sectors);
                writeSectors(cipher, at, sectors);
            }
            at += part;
        }
    }

    private static void gather(List<MemorySegment> from, MemorySegment into) {
        long done = 0;
        for (MemorySegment segment : from) {
            MemorySegment.copy(segment, 0, into, done, segment.byteSize());
            done += segment.byteSize();
        }
    }

    private void writePart(SectorCipher cipher, long at, List<MemorySegment> from) throws IOException {
        long first = at & -SECTOR_BYTES;
        synchronized (partialSectors) {
            MemorySegment sector = readSectors(cipher, first, SECTOR_BYTES);
            gather(from, sector.asSlice(at - first));
            writeSectors(cipher, first, sector);
        }
    }

    /// Encrypts in place.
    private void writeSectors(SectorCipher cipher, long offset, MemorySegment sectors) throws IOException {
        cipher.encrypt(offset / SECTOR_BYTES, sectors, sectors);
        file.write(opened.payloadOffset() + offset, sectors);
    }

    /// Writes encrypted zeroes: nothing in a volume tells them from other content.
    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        MemorySegment zeroes = MemorySegment.ofArray(new byte[(int) Math.min(lengthBytes, CHUNK_BYTES)]);
        for (long done = 0; done < lengthBytes; ) {
            long part = Math.min(lengthBytes - done, zeroes.byteSize());
            write(offsetBytes + done, List.of(zeroes.asSlice(0, part)));
            done += part;
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        check(offsetBytes, lengthBytes, "discard");
    }

    @Override
    public void flush() throws IOException {
        if (!readOnly()) {
            file.flush();
        }
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) {
        return Extent.of(offsetBytes, Math.min(limitBytes, sizeBytes - offsetBytes), Extent.State.DATA);
    }

    @Override
    public ImageInfo info() throws IOException {
        return new ImageInfo(
                sizeBytes,
                file.allocatedBytes(),
                OptionalLong.empty(),
                false,
                true,
                false,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                header().describe());
    }

    private LuksHeader header() {
        return volume == null ? opened : volume.header();
    }

    @Override
    public void resize(long newSizeBytes, Preallocation preallocation) throws IOException {
        checkWritable(0, 0);
        if (newSizeBytes < 0 || newSizeBytes % SECTOR_BYTES != 0 || newSizeBytes > Long.MAX_VALUE / 2) {
            throw new UserErrorException("Cannot make %s %d bytes large: only multiples of %d will do"
                    .formatted(name(), newSizeBytes, SECTOR_BYTES));
        }
        long end = opened.payloadOffset() + newSizeBytes;
        file.truncate(end);
        if (newSizeBytes > sizeBytes
                && (preallocation == Preallocation.FALLOC || preallocation == Preallocation.FULL)) {
            file.allocate(opened.payloadOffset() + sizeBytes, newSizeBytes - sizeBytes);
        }
        sizeBytes = newSizeBytes;
    }

    @Override
    public CheckReport check(Repair repair) {
        throw new UserErrorException("Cannot check %s: luks images have nothing to check".formatted(name()));
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) {
        throw new UserErrorException("Cannot compress into %s: luks images are not compressed".formatted(name()));
    }

    @Override
    public List<CreateOption> amendOptions() {
        return LuksAmendment.options("");
    }

    @Override
    public void amend(Map<String, String> options, ImageOpener opener) throws IOException {
        if (volume == null) {
            throw new UserErrorException("%s is locked: open it with key-secret".formatted(name()));
        }
        if (readOnly()) {
            throw new UserErrorException("Cannot amend %s: it was opened read-only".formatted(name()));
        }
        synchronized (partialSectors) {
            LuksAmendment.parse(options, "", opener).apply(volume, name());
        }
    }

    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            file.close();
        }
    }

    private static long roundUp(long bytes) {
        return (bytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
    }

    private void checkWritable(long offsetBytes, long lengthBytes) throws IOException {
        if (readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(name()));
        }
        check(offsetBytes, lengthBytes, "write");
    }

    private void check(long offsetBytes, long lengthBytes, String verb) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, lengthBytes, offsetBytes, name(), sizeBytes));
        }
    }
}
