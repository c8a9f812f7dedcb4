package org.jvirt.images.testing;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jvirt.images.file.ImageFile;

/// A sparse file in memory. Thread-safe. Pages are never changed once they are in it, so a copy of the file costs a
/// copy of its map.
public class MemoryFile implements ImageFile {
    private static final int PAGE_BYTES = 4096;

    private final String name;
    private final boolean readOnly;
    private final TreeMap<Long, byte[]> pages;
    private long size;

    public MemoryFile(String name) {
        this(name, false, new TreeMap<>(), 0);
    }

    /// Starts with what `content` has.
    MemoryFile(String name, MemoryFile content) {
        this(name, false, new TreeMap<>(content.pages), content.size);
    }

    private MemoryFile(String name, boolean readOnly, TreeMap<Long, byte[]> pages, long size) {
        this.name = name;
        this.readOnly = readOnly;
        this.pages = pages;
        this.size = size;
    }

    /// The same content, apart from now on.
    public synchronized MemoryFile copy() {
        return new MemoryFile(name, false, new TreeMap<>(pages), size);
    }

    public synchronized MemoryFile readOnlyCopy() {
        return new MemoryFile(name, true, new TreeMap<>(pages), size);
    }

    public static MemoryFile load(Path path) throws IOException {
        var file = new MemoryFile(path.toString());
        try (InputStream in = Files.newInputStream(path)) {
            long at = 0;
            for (byte[] page = in.readNBytes(PAGE_BYTES); page.length > 0; page = in.readNBytes(PAGE_BYTES)) {
                if (!blank(page)) {
                    file.write(at, MemorySegment.ofArray(page));
                }
                at += page.length;
            }
            file.truncate(at);
        }
        return file;
    }

    private static boolean blank(byte[] page) {
        for (byte b : page) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    public synchronized void save(Path path) throws IOException {
        try (var channel = Files.newByteChannel(
                path,
                java.nio.file.StandardOpenOption.CREATE,
                java.nio.file.StandardOpenOption.WRITE,
                java.nio.file.StandardOpenOption.TRUNCATE_EXISTING,
                java.nio.file.StandardOpenOption.SPARSE)) {
            for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
                long at = page.getKey() * PAGE_BYTES;
                channel.position(at);
                int length = (int) Math.min(PAGE_BYTES, size - at);
                channel.write(java.nio.ByteBuffer.wrap(page.getValue(), 0, Math.max(0, length)));
            }
            if (channel.size() < size) {
                channel.position(size - 1);
                channel.write(java.nio.ByteBuffer.allocate(1));
            }
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public synchronized long sizeBytes() {
        return size;
    }

    @Override
    public synchronized long allocatedBytes() {
        return (long) pages.size() * PAGE_BYTES;
    }

    @Override
    public synchronized void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long total = into.stream().mapToLong(MemorySegment::byteSize).sum();
        if (offsetBytes < 0 || total > size - offsetBytes) {
            throw new EOFException("%d bytes at %d of %s: it has %d".formatted(total, offsetBytes, name, size));
        }
        readPadded(offsetBytes, into);
    }

    @Override
    public synchronized void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        if (offsetBytes < 0) {
            throw new EOFException("Offset %d of %s".formatted(offsetBytes, name));
        }
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            for (long done = 0; done < segment.byteSize(); ) {
                int inPage = (int) (at % PAGE_BYTES);
                long part = Math.min(PAGE_BYTES - inPage, segment.byteSize() - done);
                byte[] page = pages.get(at / PAGE_BYTES);
                if (page == null) {
                    segment.asSlice(done, part).fill((byte) 0);
                } else {
                    MemorySegment.copy(MemorySegment.ofArray(page), inPage, segment, done, part);
                }
                done += part;
                at += part;
            }
        }
    }

    @Override
    public synchronized void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        writable(offsetBytes);
        long at = offsetBytes;
        for (MemorySegment segment : from) {
            for (long done = 0; done < segment.byteSize(); ) {
                int inPage = (int) (at % PAGE_BYTES);
                long part = Math.min(PAGE_BYTES - inPage, segment.byteSize() - done);
                byte[] old = pages.get(at / PAGE_BYTES);
                byte[] page = old == null ? new byte[PAGE_BYTES] : old.clone();
                MemorySegment.copy(segment, done, MemorySegment.ofArray(page), inPage, part);
                pages.put(at / PAGE_BYTES, page);
                done += part;
                at += part;
            }
        }
        size = Math.max(size, at);
    }

    private void writable(long offset) throws IOException {
        if (readOnly || offset < 0) {
            throw new IOException("Cannot write at %d of %s".formatted(offset, name));
        }
    }

    @Override
    public synchronized void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        writable(offsetBytes);
        erase(offsetBytes, lengthBytes);
        size = Math.max(size, offsetBytes + lengthBytes);
    }

    private void erase(long offset, long length) throws IOException {
        long end = offset + length;
        long firstWhole = (offset + PAGE_BYTES - 1) / PAGE_BYTES;
        long behindWhole = end / PAGE_BYTES;
        if (firstWhole < behindWhole) {
            pages.subMap(firstWhole, behindWhole).clear();
        }
        blank(offset, Math.min(end, firstWhole * PAGE_BYTES));
        blank(Math.max(offset, behindWhole * PAGE_BYTES), end);
    }

    private void blank(long from, long to) {
        byte[] old = from < to ? pages.get(from / PAGE_BYTES) : null;
        if (old != null) {
            byte[] page = old.clone();
            java.util.Arrays.fill(page, (int) (from % PAGE_BYTES), (int) (from % PAGE_BYTES + (to - from)), (byte) 0);
            pages.put(from / PAGE_BYTES, page);
        }
    }

    @Override
    public synchronized void discard(long offsetBytes, long lengthBytes) throws IOException {
        writable(offsetBytes);
        erase(offsetBytes, Math.min(lengthBytes, Math.max(0, size - offsetBytes)));
    }

    @Override
    public synchronized void allocate(long offsetBytes, long lengthBytes) throws IOException {
        writable(offsetBytes);
        size = Math.max(size, offsetBytes + lengthBytes);
    }

    @Override
    public synchronized void truncate(long sizeBytes) throws IOException {
        writable(sizeBytes);
        if (sizeBytes < size) {
            erase(sizeBytes, size - sizeBytes);
        }
        size = sizeBytes;
    }

    @Override
    public void flush() throws IOException {}

    @Override
    public synchronized long nextData(long offsetBytes) {
        Long page = pages.ceilingKey(offsetBytes / PAGE_BYTES);
        return page == null ? size : Math.min(size, Math.max(offsetBytes, page * PAGE_BYTES));
    }

    @Override
    public synchronized long nextHole(long offsetBytes) {
        long page = offsetBytes / PAGE_BYTES;
        while (pages.containsKey(page)) {
            page++;
        }
        return Math.min(size, Math.max(offsetBytes, page * PAGE_BYTES));
    }

    @Override
    public void close() throws IOException {}
}
