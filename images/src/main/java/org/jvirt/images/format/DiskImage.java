package org.jvirt.images.format;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;

/// An open disk image: one layer, with the layers below it behind [#backing]. Thread-safe.
///
/// Reading gives the content of the whole chain; [#extent] tells of this layer alone. Unlike what [BlockBackend]
/// demands of callers, offsets and lengths of any multiple of one byte are served; the end of the image is
/// [#sizeBytes].
public interface DiskImage extends BlockBackend {
    ImageFormat format();

    /// The longest run from `offsetBytes` on that is stored alike, at most `limitBytes` long.
    Extent extent(long offsetBytes, long limitBytes) throws IOException;

    /// The layer below, owned by this one.
    Optional<DiskImage> backing();

    /// The unit in which the format allots space, a power of two; 1 where there is none.
    long clusterBytes();

    /// What a person or a program wants to know about it.
    ImageInfo info() throws IOException;

    /// Makes the disk larger or smaller; new bytes are zeroes.
    ///
    /// @throws org.jvirt.core.UserErrorException if the format cannot, with the remedy
    void resize(long newSizeBytes, Preallocation preallocation) throws IOException;

    /// Looks for errors in the metadata, and mends what is asked for.
    ///
    /// @throws org.jvirt.core.UserErrorException if the format has nothing to check
    CheckReport check(Repair repair) throws IOException;

    /// Writes one cluster compressed, where the format has that: `content` is [#clusterBytes] long, less at the end
    /// of the disk. May be called by several threads at once.
    ///
    /// @throws org.jvirt.core.UserErrorException if the format cannot
    void writeCompressed(long offsetBytes, MemorySegment content) throws IOException;

    /// Internal snapshots, where the format has them.
    default Optional<ImageSnapshots> snapshots() {
        return Optional.empty();
    }

    /// Persistent dirty bitmaps, where the format has them.
    default Optional<ImageBitmaps> bitmaps() {
        return Optional.empty();
    }

    /// Changes the note of what lies below, and nothing else: neither content, nor [#backing] of the open image.
    ///
    /// @throws UserErrorException if the format has no layers below, or the name does not fit
    default void changeBacking(Optional<String> reference, Optional<String> backingFormat) throws IOException {
        throw new UserErrorException("Cannot change the backing file of %s: %s images have none; convert it to qcow2"
                .formatted(name(), format().formatName()));
    }

    /// Puts another layer below this open image, which owns it from then on; the one that was there is the
    /// caller's. The note in the file stays as it is: see [#changeBacking]. No request may be under way, here or
    /// above.
    ///
    /// @throws UserErrorException if this cannot be done with the image open
    default Optional<DiskImage> replaceBacking(Optional<DiskImage> below) {
        throw new UserErrorException(
                "Cannot change what lies below %s while it is open: only qcow2 images can, not %s; convert it to qcow2"
                        .formatted(name(), format().formatName()));
    }

    /// Forgets all content of this layer, so that the one below shows through; used after a commit.
    ///
    /// @throws UserErrorException if the format has no layers below
    default void makeEmpty() throws IOException {
        throw new UserErrorException("Cannot empty %s: %s images have nothing below them; write zeroes instead"
                .formatted(name(), format().formatName()));
    }

    /// Changes how the image is stored, by the names that [#amendOptions] lists.
    ///
    /// @throws UserErrorException if an option or its value cannot be changed to
    default void amend(Map<String, String> options, ImageOpener opener) throws IOException {
        throw new UserErrorException("Cannot amend %s: %s images have no options to change; convert it instead"
                .formatted(name(), format().formatName()));
    }

    /// What can be given to [#amend].
    default List<CreateOption> amendOptions() {
        return List.of();
    }
}
