package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img amend`.
@Command(name = "amend", exitCodeOnInvalidInput = 1, description = "Changes how an image is stored.")
final class AmendCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(
            names = "-o",
            paramLabel = "OPTIONS",
            required = true,
            description = "What to change: name=value,…; '-o help' lists what there is.")
    private List<String> options = new ArrayList<>();

    @Option(names = "-t", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode.")
    private String cache = "";

    @Option(names = "-p", description = "Show progress.")
    private boolean progress;

    @Option(names = "--force", description = "Change keys though that may lock everybody out.")
    private boolean force;

    @Parameters(arity = "0..1", paramLabel = "FILE", description = "The image.")
    private @Nullable String name;

    @Override
    int perform() throws IOException {
        FormatOptions given = FormatOptions.parse(options);
        if (name == null) {
            throw new UserErrorException("Name the image");
        }
        ImageAccess access = access().withCache(cache("-t", cache));
        ImageOpening opening = given.help() ? ImageOpening.reading() : ImageOpening.writing();
        try (DiskImage image = source.open(access, name, opening)) {
            String format = image.format().formatName();
            if (given.help()) {
                FormatOptions.print(out(), "Amend options for '%s':".formatted(format), image.amendOptions());
                return 0;
            }
            try (ProgressLine line = progress(progress)) {
                var changes = given.checked(format, image.amendOptions());
                if (force) {
                    changes.put("force", "on");
                }
                image.amend(changes, access.opener());
                image.flush();
                line.complete();
            }
        }
        return 0;
    }
}
