package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Preallocation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Unmatched;

/// `jvirt img resize`.
@Command(name = "resize", exitCodeOnInvalidInput = 1, description = "Makes a disk larger or smaller.")
final class ResizeCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "--shrink", description = "Yes, throw away what is behind the new end.")
    private boolean shrink;

    @Option(
            names = "--preallocation",
            paramLabel = "off|metadata|falloc|full",
            defaultValue = "off",
            description = "What is made ready for new bytes (${DEFAULT-VALUE}).")
    private String preallocation = "";

    @Parameters(
            arity = "0..2",
            paramLabel = "FILE [+|-]SIZE",
            description = "The image, and its size or the difference.")
    private List<String> words = new ArrayList<>();

    /// A size with a minus sign looks like an option.
    @Unmatched
    private List<String> unmatched = new ArrayList<>();

    @Override
    int perform() throws IOException {
        for (String word : unmatched) {
            if (!word.matches("-[0-9].*")) {
                throw new UserErrorException("'%s' is not an option".formatted(word));
            }
            words.add(word);
        }
        if (words.size() != 2) {
            throw new UserErrorException("Name the image and its new size");
        }
        String name = words.getFirst();
        try (DiskImage image = source.open(access(), name, ImageOpening.writing())) {
            long size = newSize(image.sizeBytes(), words.get(1));
            if (size < image.sizeBytes() && !shrink) {
                throw new UserErrorException(
                        "Cannot make %s smaller: what is behind the new end would be lost; if that is meant, pass --shrink"
                                .formatted(name));
            }
            image.resize(size, preallocation());
            image.flush();
        }
        say("Image resized.");
        return 0;
    }

    private static long newSize(long now, String text) {
        long size = switch (text.charAt(0)) {
            case '+' -> now + SizeText.parse("Size", text.substring(1));
            case '-' -> now - SizeText.parse("Size", text.substring(1));
            default -> SizeText.parse("Size", text);
        };
        if (size <= 0) {
            throw new UserErrorException("Size: the disk would have %d bytes; it needs some".formatted(size));
        }
        return size;
    }

    private Preallocation preallocation() {
        return switch (preallocation) {
            case "off" -> Preallocation.OFF;
            case "metadata" -> Preallocation.METADATA;
            case "falloc" -> Preallocation.FALLOC;
            case "full" -> Preallocation.FULL;
            default ->
                throw new UserErrorException(
                        "--preallocation: '%s' is not off, metadata, falloc or full".formatted(preallocation));
        };
    }
}
