package org.jvirt.cli.img;

import java.io.IOException;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageSnapshots;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img snapshot`.
@Command(name = "snapshot", exitCodeOnInvalidInput = 1, description = "Snapshots inside of an image.")
final class SnapshotCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-l", description = "List them (what is done without an option).")
    private boolean list;

    @Option(names = "-c", paramLabel = "NAME", description = "Keep the disk as it is now.")
    private @Nullable String create;

    @Option(names = "-a", paramLabel = "SNAPSHOT", description = "Make the disk what it was.")
    private @Nullable String apply;

    @Option(names = "-d", paramLabel = "SNAPSHOT", description = "Forget a snapshot.")
    private @Nullable String delete;

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        long actions = Stream.of(list ? "" : null, create, apply, delete)
                .filter(each -> each != null)
                .count();
        if (actions > 1) {
            throw new UserErrorException("Give one of -l, -c, -a and -d");
        }
        boolean changes = actions == 1 && !list;
        ImageOpening opening =
                changes ? ImageOpening.writing() : ImageOpening.reading().withoutBacking();
        try (DiskImage image = source.open(access(), name, opening)) {
            ImageSnapshots snapshots = SnapshotName.snapshots(image);
            if (create != null) {
                var _ = snapshots.create(create, Instant.now(), 0, OptionalLong.of(0), 0);
            } else if (apply != null) {
                snapshots.apply(apply);
            } else if (delete != null) {
                snapshots.delete(delete);
            } else if (!snapshots.list().isEmpty()) {
                SnapshotTable.print(out(), snapshots.list());
            }
            if (changes) {
                image.flush();
            }
        }
        return 0;
    }
}
