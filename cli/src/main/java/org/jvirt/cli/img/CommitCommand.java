package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.ImageCommit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img commit`.
@Command(
        name = "commit",
        exitCodeOnInvalidInput = 1,
        description = "Writes an image's content into the one below it, and empties it.")
final class CommitCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-b", paramLabel = "FILE", description = "An image further below to write to.")
    private @Nullable String base;

    @Option(names = "-d", description = "Do not empty the image.")
    private boolean keep;

    @Option(names = "-r", paramLabel = "RATE", defaultValue = "0", description = "Bytes in a second at most.")
    private String rate = "";

    @Option(
            names = "-t",
            paramLabel = "CACHE",
            defaultValue = "writeback",
            description = "Cache mode of what is written.")
    private String cache = "";

    @Option(names = "-p", description = "Show progress.")
    private boolean progress;

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        ImageAccess writing = access().withCache(cache("-t", cache));
        ImageAccess looking = access().sharedWithWriters();
        // Nobody else may use the image or its base; the chain is read beside these two.
        try (DiskImage own = source.open(writing, name, ImageOpening.writing().withoutBacking())) {
            int layers;
            try (DiskImage chain = source.open(looking, name, ImageOpening.reading())) {
                layers = layersAbove(chain);
                DiskImage below = chain;
                for (int i = 0; i < layers; i++) {
                    below = below.backing().orElseThrow();
                }
                commit(writing, chain, layers, below);
            }
            if (!keep && layers == 1) {
                own.makeEmpty();
                own.flush();
            }
        }
        say("Image committed.");
        return 0;
    }

    private void commit(ImageAccess writing, DiskImage chain, int layers, DiskImage below) throws IOException {
        ImageReference reference = ImageReference.of("file:" + below.name());
        try (DiskImage target = writing.open(reference, Optional.of(below.format()), ImageOpening.writing());
                ProgressLine line = progress(progress)) {
            ImageCommit.commit(chain, layers, target, SizeText.parse("-r", rate), line);
            line.complete();
        }
    }

    private int layersAbove(DiskImage chain) throws IOException {
        if (chain.backing().isEmpty()) {
            throw new UserErrorException("Cannot commit %s: nothing is below it".formatted(name));
        }
        if (base == null) {
            return 1;
        }
        int depth = 1;
        for (Optional<DiskImage> layer = chain.backing();
                layer.isPresent();
                layer = layer.get().backing()) {
            if (isSame(layer.get().name(), base)) {
                return depth;
            }
            depth++;
        }
        throw new UserErrorException("Cannot commit %s into %s: that is not below it".formatted(name, base));
    }

    private static boolean isSame(String layer, String wanted) throws IOException {
        return layer.equals(wanted)
                || (Files.exists(Path.of(wanted)) && Files.isSameFile(Path.of(layer), Path.of(wanted)));
    }
}
