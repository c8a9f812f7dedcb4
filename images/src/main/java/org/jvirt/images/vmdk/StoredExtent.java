package org.jvirt.images.vmdk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.BlockStore;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;

/// A part whose bytes lie as they are in a file, in one piece or in grains.
final class StoredExtent implements VmdkExtent {
    private static final long FLAT_BLOCK_BYTES = 1 << 20;

    private final ImageFile file;
    private final String type;
    private final BlockStore store;
    private final @Nullable SparseMap sparse;
    private final long grainBytes;

    private StoredExtent(ImageFile file, String type, BlockStore store, @Nullable SparseMap sparse, long grainBytes) {
        this.file = file;
        this.type = type;
        this.store = store;
        this.sparse = sparse;
        this.grainBytes = grainBytes;
    }

    /// @param startBytes where in `file` it begins
    static StoredExtent flat(ImageFile file, String type, long startBytes, long lengthBytes) {
        BlockMap map = BlockMap.flat(startBytes, FLAT_BLOCK_BYTES);
        return new StoredExtent(file, type, new BlockStore(file, map, FLAT_BLOCK_BYTES, lengthBytes, 0, null), null, 1);
    }

    /// Has no file of its own: `owner` is for messages.
    static StoredExtent zero(ImageFile owner, long lengthBytes) {
        BlockMap map = block -> BlockMap.ZERO;
        return new StoredExtent(
                owner, "ZERO", new BlockStore(owner, map, FLAT_BLOCK_BYTES, lengthBytes, 0, null), null, 1);
    }

    /// @param diskOffset where in the disk it begins
    static StoredExtent sparse(
            ImageFile file,
            String type,
            SparseHeader header,
            long lengthBytes,
            long diskOffset,
            @Nullable DiskImage below) {
        var map = new SparseMap(file, header);
        var store = new BlockStore(file, map, header.grainBytes(), lengthBytes, diskOffset, below);
        return new StoredExtent(file, type, store, map, header.grainBytes());
    }

    @Override
    public long lengthBytes() {
        return store.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        store.read(offsetBytes, into);
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        if (type.equals("ZERO")) {
            throw new IOException("%s: cannot write to an extent of zeroes".formatted(file.name()));
        }
        store.write(offsetBytes, from);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        store.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        Extent extent = store.extent(offsetBytes, limitBytes);
        // Only the first file's offsets mean something to others.
        return new Extent(extent.offsetBytes(), extent.lengthBytes(), extent.state(), OptionalLong.empty(), false);
    }

    @Override
    public void begin() throws IOException {
        SparseMap map = sparse;
        if (map != null) {
            var _ = store.locked(() -> {
                map.placeEnd();
                return true;
            });
        }
    }

    @Override
    public void flush() throws IOException {
        if (!type.equals("ZERO")) {
            store.flush();
        }
    }

    @Override
    public SparseMap.Findings examine() throws IOException {
        SparseMap map = sparse;
        return map == null ? new SparseMap.Findings(0, 0, 0, 0) : store.locked(() -> map.examine(true));
    }

    @Override
    public ImageFile file() {
        return file;
    }

    @Override
    public long grainBytes() {
        return grainBytes;
    }

    @Override
    public String type() {
        return type;
    }
}
