package org.jvirt.images.file;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jvirt.core.UserErrorException;

/// An open, locked file: one may write, or many may read. Thread-safe: all I/O is positional.
///
/// Segments outside the Java heap, guest memory among them, are read and written in place. The file never grows here:
/// an access behind its end at opening, or behind an end that has come nearer since, is an [IOException].
public final class HostFile implements AutoCloseable {
    /// A byte buffer cannot be larger.
    private static final long MAX_TRANSFER_BYTES = 1 << 30;

    private static final int ZEROES_BYTES = 256 << 10;
    private static final ByteBuffer ZEROES =
            ByteBuffer.allocateDirect(ZEROES_BYTES).asReadOnlyBuffer();

    private final Path path;
    private final boolean readOnly;
    private final OpenFile file;
    private final FileChannel channel;
    private final long sizeBytes;
    private final AtomicBoolean closed = new AtomicBoolean();

    private HostFile(Path path, boolean readOnly, OpenFile file, long sizeBytes) {
        this.path = path;
        this.readOnly = readOnly;
        this.file = file;
        channel = file.channel();
        this.sizeBytes = sizeBytes;
    }

    /// Opens and locks a regular file or block device.
    ///
    /// @throws UserErrorException if that cannot be, with the reason and the remedy
    public static HostFile open(Path path, boolean readOnly) {
        OpenFile file = OpenFile.acquire(path, readOnly);
        try {
            return new HostFile(path, readOnly, file, size(path, file.channel()));
        } catch (IOException | UserErrorException e) {
            try {
                file.release();
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e instanceof UserErrorException known
                    ? known
                    : new UserErrorException("Cannot use %s as a disk: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static long size(Path path, FileChannel channel) throws IOException {
        if (Files.isRegularFile(path)) {
            if (channel.size() == 0) {
                throw new UserErrorException(
                        "Cannot use %s as a disk: it is empty; give it a size first, as with truncate -s 1G"
                                .formatted(path));
            }
            return channel.size();
        }
        // A block device tells its size by its last readable byte only.
        long low = 0;
        long high = 1L << 60;
        ByteBuffer probe = ByteBuffer.allocate(1);
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (channel.read(probe.clear(), middle) > 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == 0) {
            throw new UserErrorException("Cannot use %s as a disk: no medium is in it".formatted(path));
        }
        return low;
    }

    public Path path() {
        return path;
    }

    public boolean readOnly() {
        return readOnly;
    }

    /// What it was when the file was opened.
    public long sizeBytes() {
        return sizeBytes;
    }

    /// Fills all segments.
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        check(offsetBytes, total(into), "read");
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            for (long done = 0; done < segment.byteSize(); ) {
                long part = Math.min(segment.byteSize() - done, MAX_TRANSFER_BYTES);
                int count = channel.read(segment.asSlice(done, part).asByteBuffer(), at);
                if (count <= 0) {
                    throw shrunk(channel.size());
                }
                done += count;
                at += count;
            }
        }
    }

    /// Writes all segments.
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long total = total(from);
        checkWritable(offsetBytes, total);
        long at = offsetBytes;
        for (MemorySegment segment : from) {
            for (long done = 0; done < segment.byteSize(); ) {
                long part = Math.min(segment.byteSize() - done, MAX_TRANSFER_BYTES);
                int count = channel.write(segment.asSlice(done, part).asByteBuffer(), at);
                done += count;
                at += count;
            }
        }
    }

    /// Overwrites with zeroes.
    public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        long at = offsetBytes;
        long end = offsetBytes + lengthBytes;
        while (at < end) {
            at += channel.write(ZEROES.slice(0, (int) Math.min(end - at, ZEROES_BYTES)), at);
        }
    }

    /// Makes all finished writes durable.
    public void flush() throws IOException {
        channel.force(false);
    }

    private void checkWritable(long offsetBytes, long lengthBytes) throws IOException {
        if (readOnly) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(path));
        }
        check(offsetBytes, lengthBytes, "write");
        // Writing would make a file that has shrunk grow again, with a hole where the guest believes its data.
        long now = channel.size();
        if (now != 0 && now < offsetBytes + lengthBytes) {
            throw shrunk(now);
        }
    }

    private void check(long offsetBytes, long lengthBytes, String verb) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, lengthBytes, offsetBytes, path, sizeBytes));
        }
    }

    private EOFException shrunk(long at) {
        return new EOFException(
                "%s has shrunk: it ends at %d now, and had %d bytes when it was opened".formatted(path, at, sizeBytes));
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
        if (closed.compareAndSet(false, true)) {
            file.release();
        }
    }
}
