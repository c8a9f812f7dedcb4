package org.jvirt.devices.virtio;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jvirt.core.BlockBackend;
import org.jvirt.testkit.RamDisk;

/// A disk whose reads wait until the test lets them through.
final class GatedDisk implements BlockBackend {
    final Semaphore begun = new Semaphore(0);
    final Semaphore allowed = new Semaphore(0);
    private final RamDisk disk = new RamDisk(1 << 20, false);

    @Override
    public String name() {
        return "gated";
    }

    @Override
    public long sizeBytes() {
        return disk.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return false;
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        begun.release();
        allowed.acquireUninterruptibly();
        into.forEach(segment -> segment.fill((byte) 0x5a));
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        disk.write(offsetBytes, from);
    }

    @Override
    public void flush() throws IOException {
        disk.flush();
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        disk.discard(offsetBytes, lengthBytes);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        disk.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    @Override
    public void close() {}
}
