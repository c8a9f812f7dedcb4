package org.jvirt.images.file;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.Errno;
import org.jvirt.linux.FileCallException;
import org.jvirt.linux.PositionalFile;
import org.jvirt.linux.PositionalFile.Mode;

/// An open, locked file or block device of the host: one may write, or many may read. Thread-safe.
///
/// Segments outside the Java heap, guest memory among them, are read and written in place. Threads that use it may
/// be interrupted. A block device never grows.
public final class HostFile implements ImageFile {
    private static final int FILE_TYPE = 0170000;
    private static final int REGULAR_FILE = 0100000;
    private static final int BLOCK_DEVICE = 0060000;
    private static final int SECTOR_BYTES = 512;
    private static final MemorySegment ZEROES = Arena.global().allocate(1 << 20, BounceBuffers.ALIGNMENT);

    private final PositionalFile file;
    private final FileAccess access;
    private final boolean blockDevice;
    private final FileIo io;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean lost;

    private HostFile(PositionalFile file, FileAccess access, boolean blockDevice) {
        this.file = file;
        this.access = access;
        this.blockDevice = blockDevice;
        io = access.cache().direct() ? new DirectIo(file, blockDevice) : new BufferedIo(file);
    }

    /// Opens and locks a regular file or block device.
    ///
    /// @throws UserErrorException if that cannot be, with the reason and the remedy
    public static HostFile open(Path path, FileAccess access) {
        return open(path, access, EnumSet.noneOf(Mode.class));
    }

    /// As [#open] for writing, but makes the file if there is none, and empties it if there is one. Others lose
    /// nothing that they use: the lock comes first.
    public static HostFile create(Path path, CacheMode cache) {
        HostFile created = open(path, new FileAccess(false, cache, false), EnumSet.of(Mode.CREATE));
        try {
            if (!created.blockDevice) {
                created.file.truncate(0);
            }
            return created;
        } catch (IOException e) {
            closeQuietly(created.file, e);
            throw new UserErrorException("Cannot empty %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static HostFile open(Path path, FileAccess access, EnumSet<Mode> modes) {
        boolean blockDevice = isBlockDevice(path, modes.contains(Mode.CREATE));
        if (!access.readOnly()) {
            modes.add(Mode.WRITE);
        }
        if (access.cache().direct()) {
            modes.add(Mode.DIRECT);
        }
        if (access.cache().durableWrites()) {
            modes.add(Mode.DURABLE_WRITES);
        }
        PositionalFile file = open(path, modes, access);
        try {
            ImageLock.take(file, access);
            if (blockDevice && file.sizeBytes() == 0) {
                throw new UserErrorException("Cannot use %s as a disk: no medium is in it".formatted(path));
            }
            return new HostFile(file, access, blockDevice);
        } catch (UserErrorException e) {
            closeQuietly(file, e);
            throw e;
        } catch (IOException e) {
            closeQuietly(file, e);
            throw new UserErrorException("Cannot use %s as a disk: %s".formatted(path, e.getMessage()), e);
        }
    }

    /// Turns away what is no file.
    private static boolean isBlockDevice(Path path, boolean mayBeMissing) {
        try {
            if (Files.isDirectory(path)) {
                throw new UserErrorException("Cannot use %s as a disk: it is a directory".formatted(path));
            }
            int type = (Integer) Files.getAttribute(path, "unix:mode") & FILE_TYPE;
            if (type != REGULAR_FILE && type != BLOCK_DEVICE) {
                throw new UserErrorException(
                        "Cannot use %s as a disk: it is neither a file nor a block device".formatted(path));
            }
            return type == BLOCK_DEVICE;
        } catch (NoSuchFileException e) {
            if (mayBeMissing) {
                return false;
            }
            throw new UserErrorException("Cannot open disk %s: there is no such file".formatted(path), e);
        } catch (IOException e) {
            throw new UserErrorException("Cannot look at disk %s: %s".formatted(path, reason(e)), e);
        }
    }

    private static PositionalFile open(Path path, EnumSet<Mode> modes, FileAccess access) {
        try {
            return PositionalFile.open(path, modes);
        } catch (IOException e) {
            throw new UserErrorException("Cannot open disk %s: %s".formatted(path, remedy(path, modes, access, e)), e);
        }
    }

    private static String remedy(Path path, EnumSet<Mode> modes, FileAccess access, IOException failure) {
        Path folder = path.toAbsolutePath().getParent();
        if (Files.exists(path) && !Files.isReadable(path)) {
            return "it may not be read; check its permissions";
        }
        boolean denied = failure instanceof FileCallException call && call.errno() == Errno.EACCES;
        if (Files.exists(path) && !access.readOnly() && (denied || !Files.isWritable(path))) {
            return "it may not be written; open it read-only, or check its permissions";
        }
        if (modes.contains(Mode.CREATE) && folder != null && !Files.isDirectory(folder)) {
            return "there is no folder %s; make it first".formatted(folder);
        }
        if (modes.contains(Mode.DIRECT)) {
            return "%s; where the file system has no direct I/O, use cache=writeback".formatted(failure.getMessage());
        }
        return String.valueOf(failure.getMessage());
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException
                ? "a folder on the way to it may not be entered; check its permissions"
                : String.valueOf(e.getMessage());
    }

    private static void closeQuietly(PositionalFile file, Exception cause) {
        try {
            file.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    public Path path() {
        return file.path();
    }

    /// The same for two of them if they are the same file under whatever names.
    public Object identity() throws IOException {
        Object key =
                Files.readAttributes(file.path(), BasicFileAttributes.class).fileKey();
        return key == null ? file.path().toRealPath() : key;
    }

    public boolean isBlockDevice() {
        return blockDevice;
    }

    @Override
    public String name() {
        return file.path().toString();
    }

    @Override
    public boolean readOnly() {
        return access.readOnly();
    }

    @Override
    public long sizeBytes() throws IOException {
        return file.sizeBytes();
    }

    @Override
    public long allocatedBytes() throws IOException {
        return file.status().allocatedBytes();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long at = checkedStart(offsetBytes);
        for (MemorySegment segment : into) {
            long count = io.read(at, segment);
            if (count < segment.byteSize()) {
                throw new EOFException("Cannot read %d bytes at %d of %s: it ends at %d"
                        .formatted(segment.byteSize(), at, name(), at + count));
            }
            at += count;
        }
    }

    @Override
    public void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        long at = checkedStart(offsetBytes);
        for (MemorySegment segment : into) {
            long count = io.read(at, segment);
            if (count < segment.byteSize()) {
                segment.asSlice(count).fill((byte) 0);
            }
            at += segment.byteSize();
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        checkWritable();
        long at = checkedStart(offsetBytes);
        for (MemorySegment segment : from) {
            if (segment.byteSize() > 0) {
                io.write(at, segment);
                at += segment.byteSize();
            }
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        checkWritable();
        if (checkedLength(offsetBytes, lengthBytes) && !zeroedByHost(offsetBytes, lengthBytes, mayUnmap)) {
            for (long done = 0; done < lengthBytes; ) {
                long part = Math.min(lengthBytes - done, ZEROES.byteSize());
                io.write(offsetBytes + done, ZEROES.asSlice(0, part));
                done += part;
            }
        }
    }

    private boolean zeroedByHost(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        if (blockDevice) {
            return ((offsetBytes | lengthBytes) & (SECTOR_BYTES - 1)) == 0 && file.zeroBlocks(offsetBytes, lengthBytes);
        }
        if (!mayUnmap) {
            return file.zeroRange(offsetBytes, lengthBytes);
        }
        if (!file.punchHole(offsetBytes, lengthBytes)) {
            return false;
        }
        long end = offsetBytes + lengthBytes;
        if (file.sizeBytes() < end) {
            // Setting the size could cut off what another thread is appending.
            io.write(end - 1, ZEROES.asSlice(0, 1));
        }
        return true;
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable();
        if (!checkedLength(offsetBytes, lengthBytes)) {
            return;
        }
        if (blockDevice) {
            long start = (offsetBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
            long end = (offsetBytes + lengthBytes) & -SECTOR_BYTES;
            if (start < end) {
                var _ = file.discardBlocks(start, end - start);
            }
        } else {
            var _ = file.punchHole(offsetBytes, lengthBytes);
        }
    }

    @Override
    public void allocate(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable();
        if (!checkedLength(offsetBytes, lengthBytes) || blockDevice || file.allocate(offsetBytes, lengthBytes)) {
            return;
        }
        // Without help of the file system, holes are filled by hand.
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            long hole = Math.min(end, nextHole(at));
            long data = hole >= sizeBytes() ? end : Math.min(end, nextData(hole));
            for (long done = hole; done < data; ) {
                long part = Math.min(data - done, ZEROES.byteSize());
                io.write(done, ZEROES.asSlice(0, part));
                done += part;
            }
            at = Math.max(data, at + 1);
        }
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        checkWritable();
        if (!blockDevice) {
            file.truncate(sizeBytes);
        } else if (sizeBytes > file.sizeBytes()) {
            throw new IOException("Cannot make %s %d bytes long: it is a device of %d bytes"
                    .formatted(name(), sizeBytes, file.sizeBytes()));
        }
    }

    @Override
    public void flush() throws IOException {
        if (!access.cache().flushes() || access.readOnly()) {
            return;
        }
        if (lost) {
            throw new IOException(
                    "Cannot flush %s: an earlier flush failed, and the host may have dropped what had been written since the one before; close it, and check it"
                            .formatted(name()));
        }
        try {
            file.sync();
        } catch (IOException e) {
            // Linux marks pages as clean that it could not write: the next flush would succeed without them.
            lost = !access.cache().direct();
            throw e;
        }
    }

    @Override
    public long nextData(long offsetBytes) throws IOException {
        long at = file.nextData(offsetBytes);
        return at < 0 ? file.sizeBytes() : at;
    }

    @Override
    public long nextHole(long offsetBytes) throws IOException {
        long at = file.nextHole(offsetBytes);
        return at < 0 ? file.sizeBytes() : at;
    }

    private void checkWritable() throws IOException {
        if (access.readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(name()));
        }
    }

    private long checkedStart(long offsetBytes) throws IOException {
        if (offsetBytes < 0) {
            throw new IOException("Cannot access %s at %d: a file begins at 0".formatted(name(), offsetBytes));
        }
        return offsetBytes;
    }

    /// @return whether the range has any bytes
    private boolean checkedLength(long offsetBytes, long lengthBytes) throws IOException {
        if (lengthBytes < 0 || checkedStart(offsetBytes) > Long.MAX_VALUE - lengthBytes) {
            throw new IOException("Cannot access %d bytes at %d of %s".formatted(lengthBytes, offsetBytes, name()));
        }
        return lengthBytes > 0;
    }

    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            file.close();
        }
    }
}
