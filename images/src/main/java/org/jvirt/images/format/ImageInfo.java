package org.jvirt.images.format;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// What is known about an image without reading its content; of one layer.
///
/// @param virtualSizeBytes    the disk as a guest sees it
/// @param actualSizeBytes     what the host has allotted
/// @param clusterBytes        as in [DiskImage#clusterBytes], where the format has clusters
/// @param dirty               whether the image was not closed cleanly
/// @param encrypted           whether content needs a key
/// @param compressed          whether all content is stored compressed
/// @param backingReference    the name of the layer below, as the image spells it
/// @param backingFormat       its format, where the image says so
/// @param snapshots           internal snapshots
/// @param specific            what only this format knows, under the names and in the order in which `qemu-img info
///                            --output=json` shows them below `format-specific.data`: values are strings, numbers,
///                            booleans, lists and maps of these
public record ImageInfo(
        long virtualSizeBytes,
        long actualSizeBytes,
        OptionalLong clusterBytes,
        boolean dirty,
        boolean encrypted,
        boolean compressed,
        Optional<String> backingReference,
        Optional<String> backingFormat,
        List<Snapshot> snapshots,
        Map<String, Object> specific) {
    public ImageInfo {
        snapshots = List.copyOf(snapshots);
        specific = Collections.unmodifiableMap(new LinkedHashMap<>(specific));
    }

    /// An internal snapshot.
    ///
    /// @param vmStateBytes how large the saved state of the machine is
    /// @param vmClockNanos how long the machine had run
    /// @param instructions how many instructions it had executed, where that was counted
    public record Snapshot(
            String id,
            String name,
            long vmStateBytes,
            Instant date,
            long vmClockNanos,
            OptionalLong instructions,
            long diskSizeBytes) {}

    /// For formats that have nothing special to say.
    public static ImageInfo plain(long virtualSizeBytes, long actualSizeBytes) {
        return new ImageInfo(
                virtualSizeBytes,
                actualSizeBytes,
                OptionalLong.empty(),
                false,
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Map.of());
    }
}
