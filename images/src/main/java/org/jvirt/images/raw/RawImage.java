package org.jvirt.images.raw;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.HostFile;

/// A disk that is a file, byte for byte. Thread-safe.
///
/// Sparse files stay sparse where nothing is written. Discarding does nothing and write-zeroes writes zeroes: Java
/// has no way to punch holes. A size that is no multiple of 512 is refused for writing, since the last sector has no
/// place in the file; read-only, its missing bytes read as zeroes.
public final class RawImage implements BlockBackend {
    private static final int SECTOR_BYTES = 512;

    private final HostFile file;
    private final long sizeBytes;

    /// Takes the file over.
    ///
    /// @throws UserErrorException if its size cannot be that of a disk
    public RawImage(HostFile file) {
        this.file = file;
        long rest = file.sizeBytes() % SECTOR_BYTES;
        sizeBytes = rest == 0 ? file.sizeBytes() : file.sizeBytes() - rest + SECTOR_BYTES;
        if (rest != 0 && !file.readOnly()) {
            var refusal = new UserErrorException(
                    "Cannot write to disk %s: its %d bytes are no multiple of 512; make it %d bytes with truncate -s %d, or open it read-only"
                            .formatted(file.path(), file.sizeBytes(), sizeBytes, sizeBytes));
            try {
                file.close();
            } catch (IOException e) {
                refusal.addSuppressed(e);
            }
            throw refusal;
        }
    }

    @Override
    public String name() {
        return file.path().toString();
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
        if (sizeBytes == file.sizeBytes()) {
            file.read(offsetBytes, into);
        } else {
            readPadded(offsetBytes, into);
        }
    }

    private void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            long inFile = Math.clamp(file.sizeBytes() - at, 0, segment.byteSize());
            if (at < 0 || segment.byteSize() > sizeBytes - at) {
                inFile = segment.byteSize(); // lets the file refuse
            }
            file.read(at, List.of(segment.asSlice(0, inFile)));
            segment.asSlice(inFile).fill((byte) 0);
            at += segment.byteSize();
        }
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
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new IOException("Cannot discard %d bytes at %d of %s: it has %d bytes"
                    .formatted(lengthBytes, offsetBytes, name(), sizeBytes));
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        file.writeZeroes(offsetBytes, lengthBytes);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
