package org.jvirt.images.job;

import java.io.IOException;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.live.LiveDisk;

/// Copies what the layers above one hold into it, as a mirror does; completed, that one takes the disk's place.
///
/// The layer is opened for writing while the job lasts. Other overlays on it lose their base, as with any commit.
final class ActiveCommitJob extends MirrorJob {
    private final Layers layers;
    private final int depth;

    private ActiveCommitJob(LiveDisk disk, Layers layers, int depth, DiskImage base, JobOptions options) {
        super(disk, "commit", new JobTarget(base, false), SyncMode.TOP, options);
        this.layers = layers;
        this.depth = depth;
    }

    /// @param depth of the layer that is written, at least 1
    static ActiveCommitJob of(LiveDisk disk, Layers layers, int depth, JobOptions options) throws IOException {
        return disk.alone(() -> {
            DiskImage base = layers.reopen(depth, false);
            try {
                if (base.sizeBytes() < disk.sizeBytes()) {
                    base.resize(disk.sizeBytes(), Preallocation.OFF);
                }
                return new ActiveCommitJob(disk, Layers.of(disk), depth, base, options);
            } catch (IOException | UserErrorException e) {
                Layers.of(disk).reopen(depth, true);
                throw e;
            }
        });
    }

    @Override
    void prepare() throws IOException {
        markPresent(layers.get(0), depth, false);
    }

    @Override
    void pivot() throws IOException {
        layers.get(depth - 1).replaceBacking(Optional.empty());
        disk().replace(target()).close();
    }

    @Override
    void leave() throws IOException {
        layers.reopen(depth, true);
    }
}
