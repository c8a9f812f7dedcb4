package org.jvirt.images;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.Preallocation;

/// An image as the file of another, such as qcow2 inside of LUKS. It grows only by [#truncate], where the image
/// below can be resized.
record NestedFile(DiskImage below) implements ImageFile {
    @Override
    public String name() {
        return below.name();
    }

    @Override
    public boolean readOnly() {
        return below.readOnly();
    }

    @Override
    public long sizeBytes() {
        return below.sizeBytes();
    }

    @Override
    public long allocatedBytes() throws IOException {
        return below.info().actualSizeBytes();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        below.read(offsetBytes, into);
    }

    @Override
    public void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        var present = new ArrayList<MemorySegment>();
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            long part = Math.clamp(sizeBytes() - at, 0, segment.byteSize());
            present.add(segment.asSlice(0, part));
            segment.asSlice(part).fill((byte) 0);
            at += segment.byteSize();
        }
        if (offsetBytes < sizeBytes()) {
            below.read(offsetBytes, present);
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long end = offsetBytes;
        for (MemorySegment segment : from) {
            end += segment.byteSize();
        }
        grow(end);
        below.write(offsetBytes, from);
    }

    private synchronized void grow(long endBytes) throws IOException {
        if (endBytes > sizeBytes()) {
            below.resize((endBytes + 511) & -512, Preallocation.OFF);
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        grow(offsetBytes + lengthBytes);
        below.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        long length = Math.min(lengthBytes, sizeBytes() - offsetBytes);
        if (length > 0) {
            below.discard(offsetBytes, length);
        }
    }

    @Override
    public void allocate(long offsetBytes, long lengthBytes) throws IOException {
        grow(offsetBytes + lengthBytes);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        below.resize(sizeBytes, Preallocation.OFF);
    }

    @Override
    public void flush() throws IOException {
        below.flush();
    }

    @Override
    public long nextData(long offsetBytes) throws IOException {
        return next(offsetBytes, true);
    }

    @Override
    public long nextHole(long offsetBytes) throws IOException {
        return next(offsetBytes, false);
    }

    private long next(long offsetBytes, boolean data) throws IOException {
        if (offsetBytes < 0) {
            throw new EOFException("Cannot look at %d of %s".formatted(offsetBytes, name()));
        }
        long at = offsetBytes;
        while (at < sizeBytes()) {
            Extent extent = below.extent(at, sizeBytes() - at);
            boolean hole = extent.state() == Extent.State.ZERO || extent.state() == Extent.State.ZERO_ALLOCATED;
            if (hole != data) {
                return at;
            }
            at = extent.end();
        }
        return sizeBytes();
    }

    @Override
    public void close() throws IOException {
        below.close();
    }
}
