package org.jvirt.devices.virtio;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.core.BlockBackend;

/// A disk whose reads wait until the test lets them through, for tests of other controllers.
public final class HeldDisk implements BlockBackend {
    private final GatedDisk disk = new GatedDisk();

    public void awaitBegun() throws InterruptedException {
        disk.begun.acquire();
    }

    /// Lets one read through.
    public void release() {
        disk.allowed.release();
    }

    @Override
    public String name() {
        return disk.name();
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
        disk.read(offsetBytes, into);
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
