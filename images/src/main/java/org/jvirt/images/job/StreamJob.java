package org.jvirt.images.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.live.ChangeWatcher;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Copies what layers below the top hold into it, and takes them out of the chain. The guest and the job are
/// never in the same part of the disk at once, and the job writes only where the top still has nothing.
final class StreamJob extends BlockJob implements ChangeWatcher {
    private final Layers layers;
    private final int base;
    private final DiskImage top;
    private final RangeLocks ranges = new RangeLocks();

    /// @param base the depth of the layer that stays; behind the last layer where none does
    StreamJob(LiveDisk disk, Layers layers, int base, JobOptions options) {
        super(disk, "stream", options);
        this.layers = layers;
        this.base = base;
        top = layers.get(0);
    }

    @Override
    void begin() throws IOException {
        disk().alone(() -> {
            disk().watch(this);
            return null;
        });
        total(top.sizeBytes());
    }

    @Override
    public void changing(long offsetBytes, long lengthBytes) {
        ranges.lock(offsetBytes, lengthBytes);
    }

    @Override
    public void changed(long offsetBytes, long lengthBytes) {
        ranges.unlock(offsetBytes, lengthBytes);
    }

    @Override
    void work() throws IOException, JobCancelledException {
        long size = top.sizeBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(ChunkCopier.MAX_BYTES, 4096);
            for (long at = 0; at < size; ) {
                BlockStatus status = ChainMap.at(top, at, size - at, base);
                boolean needed = needed(status);
                long length = needed && !status.zero()
                        ? Math.min(status.lengthBytes(), ChunkCopier.MAX_BYTES)
                        : status.lengthBytes();
                step(needed && !status.zero() ? length : 0);
                if (needed) {
                    copy(at, length, buffer);
                }
                at += length;
                done(length);
            }
        }
    }

    /// Where no layer stays below, nothing stands for zeroes. Where one stays, a layer that ends before it has
    /// hidden what lies behind its end.
    private boolean needed(BlockStatus status) {
        boolean inherited = status.depth() > 0 && status.present();
        return base > layers.bottom()
                ? inherited && !status.zero()
                : inherited || !status.present() && status.depth() < base - 1;
    }

    private void copy(long offset, long length, MemorySegment buffer) throws IOException, JobCancelledException {
        while (true) {
            try {
                copyAbsent(offset, length, buffer);
                return;
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    private void copyAbsent(long offset, long length, MemorySegment buffer) throws IOException {
        long end = offset + length;
        ranges.lock(offset, length);
        try {
            for (long at = offset; at < end; ) {
                Extent extent = top.extent(at, end - at);
                long part = extent.lengthBytes();
                if (extent.state() == Extent.State.ABSENT) {
                    BlockStatus status = ChainMap.at(top, at, part, base);
                    part = status.lengthBytes();
                    if (needed(status) && status.zero()) {
                        top.writeZeroes(at, part, true);
                    } else if (needed(status)) {
                        part = Math.min(part, buffer.byteSize());
                        MemorySegment piece = buffer.asSlice(0, part);
                        top.read(at, List.of(piece));
                        top.write(at, List.of(piece));
                    }
                }
                at += part;
            }
        } finally {
            ranges.unlock(offset, length);
        }
    }

    @Override
    void finish() throws IOException {
        disk().alone(() -> {
            disk().unwatch(this);
            Optional<DiskImage> below = Optional.empty();
            if (base <= layers.bottom() && base > 1) {
                below = layers.get(base - 1).replaceBacking(Optional.empty());
            } else if (base == 1) {
                return null;
            }
            for (DiskImage dropped : layers.link(0, below).stream().toList()) {
                dropped.close();
            }
            return null;
        });
    }

    @Override
    void abandon() throws IOException {
        disk().alone(() -> {
            disk().unwatch(this);
            return null;
        });
    }
}
