package org.jvirt.testkit;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jvirt.core.BlockBackend;

/// A disk in a byte array that can be told to fail. Thread-safe.
public final class RamDisk implements BlockBackend {
    private byte[] content; // guarded by this, as all below
    private final boolean readOnly;
    private boolean failing;
    private int flushes;

    public RamDisk(int sizeBytes, boolean readOnly) {
        content = new byte[sizeBytes];
        this.readOnly = readOnly;
    }

    /// Makes the disk larger or smaller; new bytes are zeroes.
    public synchronized void resize(int sizeBytes) {
        content = Arrays.copyOf(content, sizeBytes);
    }

    /// From now on every request fails, or no longer does.
    public synchronized void fail(boolean fail) {
        failing = fail;
    }

    public synchronized int flushes() {
        return flushes;
    }

    public synchronized byte[] content() {
        return content.clone();
    }

    @Override
    public String name() {
        return "ram disk";
    }

    @Override
    public synchronized long sizeBytes() {
        return content.length;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public synchronized void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        check(offsetBytes, total(into));
        long at = offsetBytes;
        for (MemorySegment part : into) {
            part.copyFrom(MemorySegment.ofArray(content).asSlice(at, part.byteSize()));
            at += part.byteSize();
        }
    }

    @Override
    public synchronized void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        check(offsetBytes, total(from));
        long at = offsetBytes;
        for (MemorySegment part : from) {
            MemorySegment.ofArray(content).asSlice(at, part.byteSize()).copyFrom(part);
            at += part.byteSize();
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        check(0, 0);
        flushes++;
    }

    @Override
    public synchronized void discard(long offsetBytes, long lengthBytes) throws IOException {
        writeZeroes(offsetBytes, lengthBytes, true);
    }

    @Override
    public synchronized void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        check(offsetBytes, lengthBytes);
        MemorySegment.ofArray(content).asSlice(offsetBytes, lengthBytes).fill((byte) 0);
    }

    @Override
    public void close() {}

    private void check(long offsetBytes, long lengthBytes) throws IOException {
        if (failing) {
            throw new IOException("ram disk: told to fail");
        }
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > content.length - offsetBytes) {
            throw new EOFException("ram disk: 0x%x+0x%x is outside".formatted(offsetBytes, lengthBytes));
        }
    }

    private static long total(List<MemorySegment> parts) {
        return parts.stream().mapToLong(MemorySegment::byteSize).sum();
    }
}
