package org.jvirt.images.testing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// A file as a disk, byte for byte: the layer below in tests.
public record RawDisk(ImageFile file) implements DiskImage {
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
        try {
            return file.sizeBytes();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public boolean readOnly() {
        return file.readOnly();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        file.read(offsetBytes, into);
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        file.write(offsetBytes, from);
    }

    @Override
    public void flush() throws IOException {
        file.flush();
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        file.discard(offsetBytes, lengthBytes);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        file.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        return Extent.data(offsetBytes, Math.min(limitBytes, sizeBytes() - offsetBytes), offsetBytes);
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
        return ImageInfo.plain(sizeBytes(), file.allocatedBytes());
    }

    @Override
    public void resize(long newSizeBytes, Preallocation preallocation) throws IOException {
        file.truncate(newSizeBytes);
    }

    @Override
    public CheckReport check(Repair repair) {
        throw new UnsupportedOperationException("Nothing to check");
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) {
        throw new UnsupportedOperationException("Nothing to compress");
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
