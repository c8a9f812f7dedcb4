package org.jvirt.images.blocks;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// A disk image in one file whose content is a [BlockStore]. Thread-safe.
public abstract class BlockImage implements DiskImage {
    private final ImageFile file;
    private final BlockStore store;
    private final long clusterBytes;
    private final @Nullable DiskImage below;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Object beginning = new Object();
    private volatile boolean begun;

    /// @param blockBytes how long the blocks of `store` are
    protected BlockImage(ImageFile file, BlockStore store, long blockBytes, @Nullable DiskImage below) {
        this.file = file;
        this.store = store;
        this.below = below;
        clusterBytes = Long.bitCount(blockBytes) == 1 ? blockBytes : 1;
    }

    protected final ImageFile file() {
        return file;
    }

    protected final BlockStore store() {
        return store;
    }

    /// Marks the image as being changed; called once, before the first change.
    protected void begin() throws IOException {}

    /// Undoes [#begin]; called once, when all has been flushed.
    protected void end() throws IOException {}

    private void ensureBegun() throws IOException {
        if (!begun && !file.readOnly()) {
            synchronized (beginning) {
                if (!begun) {
                    begin();
                    begun = true;
                }
            }
        }
    }

    @Override
    public final String name() {
        return file.name();
    }

    @Override
    public final boolean readOnly() {
        return file.readOnly();
    }

    @Override
    public final long sizeBytes() {
        return store.sizeBytes();
    }

    @Override
    public final long clusterBytes() {
        return clusterBytes;
    }

    @Override
    public final Optional<DiskImage> backing() {
        return Optional.ofNullable(below);
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        store.read(offsetBytes, into);
    }

    @Override
    public final void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        ensureBegun();
        store.write(offsetBytes, from);
    }

    @Override
    public final void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        ensureBegun();
        store.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    /// Keeps what is there: these formats cannot give blocks back.
    @Override
    public final void discard(long offsetBytes, long lengthBytes) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes() - offsetBytes) {
            throw new IOException("Cannot discard %d bytes at %d of %s: it has %d bytes"
                    .formatted(lengthBytes, offsetBytes, name(), sizeBytes()));
        }
    }

    @Override
    public final void flush() throws IOException {
        if (!readOnly()) {
            store.flush();
        }
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        return store.extent(offsetBytes, limitBytes);
    }

    @Override
    public final void resize(long newSizeBytes, Preallocation preallocation) throws IOException {
        if (readOnly()) {
            throw new UserErrorException("Cannot resize %s: it was opened read-only".formatted(name()));
        }
        ensureBegun();
        resizeWritable(newSizeBytes, preallocation);
    }

    /// As [#resize], of an image that has been marked.
    protected void resizeWritable(long newSizeBytes, Preallocation preallocation) throws IOException {
        throw new UserErrorException("Cannot resize %s: %s images keep their size; convert it to another format"
                .formatted(name(), format().formatName()));
    }

    @Override
    public CheckReport check(Repair repair) throws IOException {
        throw new UserErrorException(
                "Cannot check %s: %s images have nothing to check".formatted(name(), format().formatName()));
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) throws IOException {
        throw new UserErrorException("Cannot compress into %s: %s images are not compressed; qcow2 can be"
                .formatted(name(), format().formatName()));
    }

    @Override
    public final void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try (ImageFile _ = file;
                DiskImage _ = below) {
            if (begun) {
                store.flush();
                end();
            }
        }
    }
}
