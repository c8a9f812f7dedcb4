package org.jvirt.images.raw;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// A disk that is a file, byte for byte. Thread-safe.
///
/// Where the file's size is no multiple of 512, the disk's is the next one: the bytes that the file lacks read as
/// zeroes, and the file gets them when the last sector is written. A file that becomes shorter while it is open
/// fails behind its new end instead of growing again with a hole where a guest believes its data.
final class RawImage implements DiskImage {
    private static final int SECTOR_BYTES = 512;

    private final ImageFile file;
    private final Optional<Predicate<byte[]>> otherFormat;
    private final Object headLock = new Object();
    private volatile long fileBytes;
    private volatile long sizeBytes;

    /// Takes the file over.
    ///
    /// @param otherFormat tells whether the first bytes of a file make it another format, where nobody has said
    /// that
    ///                    the image is raw: such bytes are not written, or the next one who looks would be
    /// misled
    RawImage(ImageFile file, Optional<Predicate<byte[]>> otherFormat) throws IOException {
        this.file = file;
        this.otherFormat = otherFormat;
        measure();
    }

    private void measure() throws IOException {
        fileBytes = file.sizeBytes();
        sizeBytes = (fileBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.RAW;
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
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long total = total(into);
        check(offsetBytes, total, "read");
        try {
            if (offsetBytes + total > fileBytes) {
                file.readPadded(offsetBytes, into);
            } else {
                file.read(offsetBytes, into);
            }
        } catch (EOFException e) {
            throw shrunk(e);
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long total = total(from);
        checkWritable(offsetBytes, total);
        if (otherFormat.isPresent() && offsetBytes < FormatDriver.PROBE_BYTES) {
            synchronized (headLock) {
                checkHead(otherFormat.get(), offsetBytes, from);
                file.write(offsetBytes, from);
            }
        } else {
            file.write(offsetBytes, from);
        }
    }

    private void checkHead(Predicate<byte[]> isOther, long offsetBytes, List<MemorySegment> from) throws IOException {
        MemorySegment head = MemorySegment.ofArray(new byte[(int) Math.min(FormatDriver.PROBE_BYTES, sizeBytes)]);
        file.readPadded(0, head);
        boolean was = isOther.test((byte[]) head.heapBase().orElseThrow());
        long at = offsetBytes;
        for (MemorySegment segment : from) {
            long part = Math.clamp(head.byteSize() - at, 0, segment.byteSize());
            MemorySegment.copy(segment, 0, head, Math.min(at, head.byteSize()), part);
            at += segment.byteSize();
        }
        if (!was && isOther.test((byte[]) head.heapBase().orElseThrow())) {
            throw new IOException(
                    "Cannot write to the start of %s: it would look like another format then; say that it is raw (format=raw)"
                            .formatted(name()));
        }
    }

    @Override
    public void flush() throws IOException {
        file.flush();
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        file.discard(offsetBytes, Math.clamp(fileBytes - offsetBytes, 0, lengthBytes));
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        file.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        check(offsetBytes, 1, "look");
        long limit = Math.min(limitBytes, sizeBytes - offsetBytes);
        if (offsetBytes >= fileBytes) {
            return zeroes(offsetBytes, limit);
        }
        ImageFile.Stretch stretch = file.stretch(offsetBytes, Math.min(limit, fileBytes - offsetBytes));
        long length = stretch.lengthBytes();
        if (stretch.hole()) {
            // The end of the file is not a hole's end: the bytes up to the last sector's end are zeroes too.
            return zeroes(offsetBytes, offsetBytes + length >= fileBytes ? limit : length);
        }
        return Extent.data(offsetBytes, length, offsetBytes);
    }

    private static Extent zeroes(long offsetBytes, long lengthBytes) {
        return new Extent(offsetBytes, lengthBytes, Extent.State.ZERO, OptionalLong.of(offsetBytes), false);
    }

    @Override
    public Optional<DiskImage> backing() {
        return Optional.empty();
    }

    @Override
    public long clusterBytes() {
        return 1;
    }

    @Override
    public ImageInfo info() throws IOException {
        return ImageInfo.plain(sizeBytes, file.allocatedBytes());
    }

    @Override
    public void resize(long newSizeBytes, Preallocation preallocation) throws IOException {
        long old = file.sizeBytes();
        if (preallocation == Preallocation.METADATA) {
            throw new UserErrorException(
                    "Cannot preallocate metadata of %s: raw images have none; use off, falloc or full"
                            .formatted(name()));
        }
        file.truncate(newSizeBytes);
        RawDriver.reserve(file, old, newSizeBytes, preallocation);
        measure();
    }

    @Override
    public CheckReport check(Repair repair) {
        throw new UserErrorException("Cannot check %s: raw images have no metadata".formatted(name()));
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) {
        throw new UserErrorException(
                "Cannot compress %s: raw images hold no compressed data; use qcow2".formatted(name()));
    }

    private void checkWritable(long offsetBytes, long lengthBytes) throws IOException {
        check(offsetBytes, lengthBytes, "write");
        if (readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(name()));
        }
        long now = file.sizeBytes();
        long opened = fileBytes;
        if (now < offsetBytes + lengthBytes && now < opened) {
            throw shrunk(null);
        }
        if (offsetBytes + lengthBytes > opened) {
            completeLastSector();
        }
    }

    private synchronized void completeLastSector() throws IOException {
        if (fileBytes < sizeBytes) {
            file.truncate(sizeBytes);
            fileBytes = sizeBytes;
        }
    }

    private void check(long offsetBytes, long lengthBytes, String verb) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, lengthBytes, offsetBytes, name(), sizeBytes));
        }
    }

    private EOFException shrunk(@Nullable EOFException cause) throws IOException {
        var failure = new EOFException("%s has shrunk: it ends at %d now, and had %d bytes when it was opened"
                .formatted(name(), file.sizeBytes(), fileBytes));
        if (cause != null) {
            failure.initCause(cause);
        }
        return failure;
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
        file.close();
    }
}
