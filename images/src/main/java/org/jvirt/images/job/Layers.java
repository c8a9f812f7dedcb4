package org.jvirt.images.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.live.LiveDisk;

/// The layers of a disk that is in use, top first. What changes them is called alone.
record Layers(LiveDisk disk, List<DiskImage> all) {
    Layers {
        all = List.copyOf(all);
    }

    /// @throws UserErrorException if the disk is no image
    static Layers of(LiveDisk disk) {
        DiskImage top = disk.image()
                .orElseThrow(() -> new UserErrorException(
                        "Disk %s has no layers: its changes are kept in memory only".formatted(disk.id())));
        List<DiskImage> all = new ArrayList<>();
        for (Optional<DiskImage> layer = Optional.of(top);
                layer.isPresent();
                layer = layer.get().backing()) {
            all.add(layer.get());
        }
        return new Layers(disk, all);
    }

    DiskImage get(int depth) {
        return all.get(depth);
    }

    int bottom() {
        return all.size() - 1;
    }

    /// How deep the layer of this file lies.
    ///
    /// @throws UserErrorException if there is none
    int find(Path file) {
        Path wanted = file.toAbsolutePath().normalize();
        for (int depth = 0; depth < all.size(); depth++) {
            if (Path.of(all.get(depth).name()).toAbsolutePath().normalize().equals(wanted)) {
                return depth;
            }
        }
        throw new UserErrorException("Disk %s has no layer %s; it has: %s"
                .formatted(
                        disk.id(),
                        file,
                        String.join(", ", all.stream().map(DiskImage::name).toList())));
    }

    /// Opens a layer anew, in place of the one that is there, which is closed with all below it.
    ///
    /// @param depth at least 1
    DiskImage reopen(int depth, boolean readOnly) throws IOException {
        DiskImage above = get(depth - 1);
        DiskImage before = above.replaceBacking(Optional.empty()).orElseThrow();
        before.close();
        try {
            DiskImage fresh = open(before, readOnly ? ImageOpening.reading() : ImageOpening.writing());
            above.replaceBacking(Optional.of(fresh));
            return fresh;
        } catch (UserErrorException e) {
            above.replaceBacking(Optional.of(open(before, ImageOpening.reading())));
            throw e;
        }
    }

    private DiskImage open(DiskImage like, ImageOpening opening) {
        ImageAccess access = disk.settings().access();
        return access.open(ImageReference.ofFile(Path.of(like.name())), Optional.of(like.format()), opening);
    }

    /// Puts `below` under the layer at a depth, and notes that in its file.
    ///
    /// @param below open for reading, or nothing
    /// @return what was there
    Optional<DiskImage> link(int depth, Optional<DiskImage> below) throws IOException {
        Optional<String> reference = below.map(JobTarget::absolute);
        Optional<String> format = below.map(layer -> layer.format().formatName());
        DiskImage layer = get(depth);
        if (!layer.readOnly()) {
            layer.flush();
            layer.changeBacking(reference, format);
            return layer.replaceBacking(below);
        }
        // A layer below the top is open for reading: its file is changed between two openings.
        DiskImage above = get(depth - 1);
        Optional<DiskImage> before = layer.replaceBacking(Optional.empty());
        above.replaceBacking(Optional.empty());
        layer.close();
        try (DiskImage writable = open(layer, ImageOpening.writing().withoutBacking())) {
            writable.changeBacking(reference, format);
        }
        DiskImage again = open(layer, ImageOpening.reading().withoutBacking());
        again.replaceBacking(below);
        above.replaceBacking(Optional.of(again));
        return before;
    }
}
