package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img bitmap`. What is asked for is done in the order in which it is asked for.
@Command(name = "bitmap", exitCodeOnInvalidInput = 1, description = "Persistent bitmaps of what has been written.")
final class BitmapCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-b", paramLabel = "FILE", description = "With --merge: the image that has the other bitmaps.")
    private @Nullable String other;

    @Option(names = "-F", paramLabel = "FORMAT", description = "The format of that image.")
    private @Nullable String otherFormat;

    @Option(names = "-g", paramLabel = "BYTES", description = "With --add: what one bit stands for.")
    private @Nullable String granularity;

    @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "BITMAP", description = "The bitmap.")
    private String bitmap = "";

    @Option(names = "--add", description = "Make it.")
    private boolean add;

    @Option(names = "--remove", description = "Remove it.")
    private boolean remove;

    @Option(names = "--clear", description = "Forget what it has recorded.")
    private boolean clear;

    @Option(names = "--enable", description = "Record writes from now on.")
    private boolean enable;

    @Option(names = "--disable", description = "Record no more writes.")
    private boolean disable;

    @Option(names = "--merge", paramLabel = "BITMAP", description = "Add what another bitmap has recorded.")
    private List<String> merged = new ArrayList<>();

    @Override
    int perform() throws IOException {
        if (!(add || remove || clear || enable || disable || !merged.isEmpty())) {
            throw new UserErrorException("Give one of --add, --remove, --clear, --enable, --disable and --merge");
        }
        if (granularity != null && !add) {
            throw new UserErrorException("-g needs --add");
        }
        try (DiskImage image =
                source.open(access(), name, ImageOpening.writing().withoutBacking())) {
            ImageBitmaps bitmaps = BitmapCopy.bitmaps(image);
            Iterator<String> sources = merged.iterator();
            for (String argument : arguments()) {
                switch (argument.split("=", 2)[0]) {
                    case "--add" -> bitmaps.add(bitmap, granularityBytes(), true);
                    case "--remove" -> bitmaps.remove(bitmap);
                    case "--clear" -> bitmaps.clear(bitmap);
                    case "--enable" -> bitmaps.enable(bitmap);
                    case "--disable" -> bitmaps.disable(bitmap);
                    case "--merge" -> merge(bitmaps, bitmap, sources.next());
                    default -> {
                        // Names, and options that are no steps.
                    }
                }
            }
            image.flush();
        }
        return 0;
    }

    private long granularityBytes() {
        return granularity == null ? 0 : SizeText.parse("-g", granularity);
    }

    private void merge(ImageBitmaps bitmaps, String target, String from) throws IOException {
        if (other == null) {
            bitmaps.merge(target, bitmaps, from);
            return;
        }
        Optional<String> format = Optional.ofNullable(otherFormat);
        try (DiskImage image = access().open(
                        ImageReference.of(other),
                        format.map(each -> format("-F", each)),
                        ImageOpening.reading().withoutBacking())) {
            bitmaps.merge(target, BitmapCopy.bitmaps(image), from);
        }
    }
}
