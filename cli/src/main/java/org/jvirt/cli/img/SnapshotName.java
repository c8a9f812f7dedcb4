package org.jvirt.cli.img;

import java.util.List;
import java.util.Map;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.ImageSnapshots;
import org.jvirt.images.tool.CopySource;

/// Finds an internal snapshot by what `-l` says: an id, a name, or `snapshot.id=…,snapshot.name=…`.
public final class SnapshotName {
    private SnapshotName() {}

    static CopySource source(DiskImage image, String text) {
        ImageSnapshots snapshots = snapshots(image);
        ImageInfo.Snapshot found = find(image, text);
        return new CopySource.OfSnapshot(image, snapshots, found.id(), found.diskSizeBytes());
    }

    static ImageSnapshots snapshots(DiskImage image) {
        return image.snapshots()
                .orElseThrow(
                        () -> new UserErrorException("%s has no snapshots inside: %s images cannot; convert it to qcow2"
                                .formatted(image.name(), image.format().formatName())));
    }

    /// @throws UserErrorException if there is none
    public static ImageInfo.Snapshot find(DiskImage image, String text) {
        List<ImageInfo.Snapshot> all = snapshots(image).list();
        if (text.startsWith("snapshot.")) {
            Map<String, String> wanted = FormatOptions.parse(List.of(text)).values();
            return all.stream()
                    .filter(each -> each.id().equals(wanted.getOrDefault("snapshot.id", each.id()))
                            && each.name().equals(wanted.getOrDefault("snapshot.name", each.name())))
                    .findFirst()
                    .orElseThrow(() -> missing(image, text));
        }
        return all.stream()
                .filter(each -> each.id().equals(text))
                .findFirst()
                .or(() -> all.stream().filter(each -> each.name().equals(text)).findFirst())
                .orElseThrow(() -> missing(image, text));
    }

    private static UserErrorException missing(DiskImage image, String text) {
        return new UserErrorException(
                "%s has no snapshot '%s'; 'snapshot -l' lists what it has".formatted(image.name(), text));
    }
}
