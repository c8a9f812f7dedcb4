package org.jvirt.images.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Copies what layers below the top hold into one below them, and takes them out of the chain.
final class CommitJob extends BlockJob {
    private final int top;
    private final int base;
    private Layers layers;
    private DiskImage target;

    /// @param top  the depth of the first layer that goes, at least 1
    /// @param base the depth of the one that is written
    CommitJob(LiveDisk disk, Layers layers, int top, int base, JobOptions options) {
        super(disk, "commit", options);
        this.layers = layers;
        this.top = top;
        this.base = base;
        target = layers.get(base);
    }

    @Override
    void begin() throws IOException {
        disk().alone(() -> {
            target = layers.reopen(base, false);
            layers = Layers.of(disk());
            return null;
        });
    }

    @Override
    void work() throws IOException, JobCancelledException {
        DiskImage source = layers.get(top);
        long size = source.sizeBytes();
        total(size);
        if (target.sizeBytes() < size) {
            target.resize(size, Preallocation.OFF);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(ChunkCopier.MAX_BYTES, 4096);
            for (long at = 0; at < size; ) {
                long length = Math.min(size - at, ChunkCopier.MAX_BYTES);
                BlockStatus status = ChainMap.at(source, at, size - at, base - top);
                if (MirrorJob.decides(status, base - top)) {
                    length = status.zero() ? status.lengthBytes() : Math.min(length, status.lengthBytes());
                    step(status.zero() ? 0 : length);
                    copy(source, at, length, buffer);
                } else {
                    length = status.lengthBytes();
                    step(0);
                }
                at += length;
                done(length);
            }
        }
    }

    private void copy(DiskImage source, long at, long length, MemorySegment buffer)
            throws IOException, JobCancelledException {
        while (true) {
            try {
                new ChunkCopier(source, target, false, false).copy(at, length, buffer);
                return;
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    @Override
    void finish() throws IOException {
        disk().alone(() -> {
            target.flush();
            DiskImage fresh = layers.reopen(base, true);
            Layers.of(disk()).get(base - 1).replaceBacking(Optional.empty());
            for (DiskImage dropped :
                    layers.link(top - 1, Optional.of(fresh)).stream().toList()) {
                dropped.close();
            }
            return null;
        });
    }

    @Override
    void abandon() throws IOException {
        disk().alone(() -> layers.reopen(base, true));
    }
}
