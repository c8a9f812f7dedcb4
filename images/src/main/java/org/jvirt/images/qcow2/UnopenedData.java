package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.file.ImageFile;

/// Stands for the external data file of an image of which only the metadata is wanted: whatever file a stranger's
/// image names, looking at the image does not touch it.
record UnopenedData(String name) implements ImageFile {
    private IOException untouched() {
        return new IOException("Cannot use %s: its image was opened for its metadata only".formatted(name));
    }

    @Override
    public boolean readOnly() {
        return true;
    }

    @Override
    public long sizeBytes() throws IOException {
        throw untouched();
    }

    @Override
    public long allocatedBytes() throws IOException {
        throw untouched();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        throw untouched();
    }

    @Override
    public void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        throw untouched();
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        throw untouched();
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        throw untouched();
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        throw untouched();
    }

    @Override
    public void allocate(long offsetBytes, long lengthBytes) throws IOException {
        throw untouched();
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        throw untouched();
    }

    @Override
    public void flush() throws IOException {
        throw untouched();
    }

    @Override
    public long nextData(long offsetBytes) throws IOException {
        throw untouched();
    }

    @Override
    public long nextHole(long offsetBytes) throws IOException {
        throw untouched();
    }

    @Override
    public void close() {
        // Nothing was opened.
    }
}
