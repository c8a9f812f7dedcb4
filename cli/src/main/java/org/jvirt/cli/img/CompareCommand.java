package org.jvirt.cli.img;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.ImageComparison;
import org.jvirt.images.tool.ImageComparison.Result;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img compare`. Exit codes: 0 alike, 1 different, 2 not compared.
@Command(
        name = "compare",
        exitCodeOnInvalidInput = 1,
        description = "Compares the content of two images. Exit codes: 0 alike, 1 different, 2 failed.")
final class CompareCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-F", paramLabel = "FORMAT", description = "The format of the second image.")
    private @Nullable String secondFormat;

    @Option(names = "-T", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode.")
    private String cache = "";

    @Option(names = "-p", description = "Show progress.")
    private boolean progress;

    @Option(names = "-s", description = "Compare sizes, and what is stored at all, too.")
    private boolean strict;

    @Parameters(index = "0", paramLabel = "FIRST", description = "An image.")
    private String first = "";

    @Parameters(index = "1", paramLabel = "SECOND", description = "The other one.")
    private String second = "";

    @Override
    int failureCode() {
        return 2;
    }

    @Override
    int perform() throws IOException {
        ImageAccess access = source.access(access().withCache(cache("-T", cache)));
        try (DiskImage left = source.open(access, first, ImageOpening.reading());
                DiskImage right = access.open(
                        source.reference(second),
                        Optional.ofNullable(secondFormat).map(name -> format("-F", name)),
                        ImageOpening.reading())) {
            Result result;
            try (ProgressLine line = progress(progress)) {
                result = ImageComparison.compare(left, right, strict, line);
                line.complete();
            }
            return report(result);
        }
    }

    private int report(Result result) {
        switch (result) {
            case Result.Identical(boolean sizesDiffer) -> {
                warn(sizesDiffer);
                say("Images are identical.");
                return 0;
            }
            case Result.Different(long offset, boolean sizesDiffer) -> {
                warn(sizesDiffer);
                say("Content mismatch at offset %d!".formatted(offset));
            }
            case Result.StoredDifferently(long offset) ->
                say("Strict mode: Offset %d block status mismatch!".formatted(offset));
            case Result.SizesDiffer() -> say("Strict mode: Image size mismatch!");
        }
        return 1;
    }

    private void warn(boolean sizesDiffer) {
        if (sizesDiffer) {
            say("Warning: Image size mismatch!");
        }
    }
}
