package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img create`.
@Command(name = "create", exitCodeOnInvalidInput = 1, description = "Makes an empty image.")
final class CreateCommand extends ImgAction {
    @Option(names = "-f", paramLabel = "FORMAT", defaultValue = "raw", description = "Its format (${DEFAULT-VALUE}).")
    private String format = "";

    @Option(names = "-b", paramLabel = "FILE", description = "The image below, which is only read.")
    private @Nullable String backing;

    @Option(
            names = {"-F", "-B"},
            paramLabel = "FORMAT",
            description = "The format of the image below.")
    private @Nullable String backingFormat;

    @Option(names = "-u", description = "Do not look at the image below.")
    private boolean unsafe;

    @Option(names = "-o", paramLabel = "OPTIONS", description = "Of the format: name=value,…; '-o help' lists them.")
    private List<String> options = new ArrayList<>();

    @Parameters(arity = "0..2", paramLabel = "FILE [SIZE]", description = "The image, and its size.")
    private List<String> words = new ArrayList<>();

    @Override
    int perform() throws IOException {
        FormatOptions given = FormatOptions.parse(options);
        ImageFormat kind = format("-f", format);
        List<CreateOption> known = DiskImages.driver(kind).createOptions();
        if (given.help()) {
            FormatOptions.print(out(), "Supported %s options:".formatted(format), known);
            return 0;
        }
        if (words.isEmpty()) {
            throw new UserErrorException("Name the file to be made");
        }
        String name = words.getFirst();
        Optional<String> size = words.size() > 1 ? Optional.of(words.get(1)) : given.take("size");
        if (backing != null) {
            given.values().put("backing_file", backing);
        }
        if (backingFormat != null) {
            given.values().put("backing_fmt", backingFormat);
        }
        Map<String, String> checked = new LinkedHashMap<>(given.checked(format, known));
        long bytes = create(access(), kind, name, size, checked, unsafe);
        var line = new StringBuilder("Formatting '%s', fmt=%s size=%d".formatted(name, format, bytes));
        checked.forEach((key, value) -> line.append(' ').append(key).append('=').append(value));
        say(line.toString());
        return 0;
    }

    /// Makes an image, whose size is that of the layer below where none is given.
    ///
    /// @param unsafe whether the layer below is not looked at
    /// @return the size
    static long create(
            ImageAccess access,
            ImageFormat format,
            String name,
            Optional<String> size,
            Map<String, String> options,
            boolean unsafe) {
        Optional<String> below = Optional.ofNullable(options.get("backing_file"));
        Optional<Long> bytes = size.map(text -> SizeText.parse("Size", text));
        if (below.isPresent() && !options.containsKey("backing_fmt")) {
            throw new UserErrorException(
                    "Cannot create %s: state the format of the image below with -F; a guess could be wrong"
                            .formatted(name));
        }
        if (below.isPresent() && !unsafe) {
            long belowBytes = sizeOf(access, name, below.get(), options.get("backing_fmt"));
            bytes = Optional.of(bytes.orElse(belowBytes));
        }
        long total = bytes.orElseThrow(
                () -> new UserErrorException("Cannot create %s: give its size, such as 10G".formatted(name)));
        access.create(format, name, total, options);
        return total;
    }

    private static long sizeOf(ImageAccess access, String name, String below, @Nullable String format) {
        ImageReference reference = ImageReference.of(below);
        if (!below.contains(":")) {
            reference = ImageReference.ofFile(Path.of(name).resolveSibling(below));
        }
        Optional<ImageFormat> kind = Optional.ofNullable(format).map(each -> format("-F", each));
        try (DiskImage image = access.open(reference, kind, ImageOpening.reading())) {
            return image.sizeBytes();
        } catch (IOException e) {
            throw new UserErrorException("Cannot close %s: %s".formatted(below, e.getMessage()), e);
        }
    }
}
