package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.ImageRebase;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img rebase`.
@Command(name = "rebase", exitCodeOnInvalidInput = 1, description = "Puts another image below this one.")
final class RebaseCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-b", paramLabel = "FILE", required = true, description = "The image to be below; '' for none.")
    private String base = "";

    @Option(
            names = {"-F", "-B"},
            paramLabel = "FORMAT",
            description = "Its format.")
    private @Nullable String baseFormat;

    @Option(names = "-u", description = "Change only the name: the content below is the same, or is not there now.")
    private boolean unsafe;

    @Option(names = "-t", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode of the image.")
    private String cache = "";

    @Option(names = "-T", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode of those below.")
    private String sourceCache = "";

    @Option(names = "-p", description = "Show progress.")
    private boolean progress;

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        if (!base.isEmpty() && baseFormat == null) {
            throw new UserErrorException("-b: state the format of %s with -F; a guess could be wrong".formatted(base));
        }
        ImageOpening opening = unsafe ? ImageOpening.writing().withoutBacking() : ImageOpening.writing();
        try (DiskImage image = source.open(access().withCache(cache("-t", cache)), name, opening)) {
            if (!unsafe) {
                copyDifferences(image);
            }
            image.changeBacking(
                    base.isEmpty() ? Optional.empty() : Optional.of(base),
                    base.isEmpty() ? Optional.empty() : Optional.ofNullable(baseFormat));
            image.flush();
        }
        return 0;
    }

    private void copyDifferences(DiskImage image) throws IOException {
        try (ProgressLine line = progress(progress)) {
            if (base.isEmpty()) {
                ImageRebase.prepare(image, Optional.empty(), line);
            } else {
                ImageAccess access = access().withCache(cache("-T", sourceCache));
                ImageReference reference = base.contains(":")
                        ? ImageReference.of(base)
                        : ImageReference.ofFile(Path.of(name).resolveSibling(base));
                try (DiskImage below = access.open(
                        reference,
                        Optional.ofNullable(baseFormat).map(each -> format("-F", each)),
                        ImageOpening.reading())) {
                    ImageRebase.prepare(image, Optional.of(below), line);
                }
            }
            line.complete();
        }
    }
}
