package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.tool.RangeCopy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img dd`.
@Command(name = "dd", exitCodeOnInvalidInput = 1, description = "Copies a part of an image into a new one.")
final class DdCommand extends ImgAction {
    private static final Set<String> KEYS = Set.of("if", "of", "bs", "count", "skip");

    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-O", paramLabel = "FORMAT", defaultValue = "raw", description = "The new image's format.")
    private String targetFormat = "";

    @Parameters(
            arity = "0..*",
            paramLabel = "KEY=VALUE",
            description = "if=FILE of=FILE [bs=BYTES] [count=BLOCKS] [skip=BLOCKS]")
    private List<String> words = new ArrayList<>();

    @Override
    int perform() throws IOException {
        Map<String, String> values = values();
        String input = required(values, "if");
        String output = required(values, "of");
        long block = SizeText.parse("bs", values.getOrDefault("bs", "512"));
        if (block <= 0 || block > Integer.MAX_VALUE) {
            throw new UserErrorException("bs: blocks have 1 to %d bytes".formatted(Integer.MAX_VALUE));
        }
        ImageFormat format = format("-O", targetFormat);
        ImageAccess access = access();
        try (DiskImage from = source.open(access, input, ImageOpening.reading())) {
            long end = Math.min(from.sizeBytes(), blocks(values, "count", Long.MAX_VALUE, block));
            long start = blocks(values, "skip", 0, block);
            if (start > end) {
                fail("%s: cannot skip to the offset asked for".formatted(input));
                start = end;
            }
            access.create(format, output, end - start, Map.of());
            ImageReference reference = ImageReference.of(output);
            try (DiskImage to = access.open(reference, Optional.of(format), ImageOpening.writing())) {
                RangeCopy.copy(from, start, end - start, to);
            }
        }
        return 0;
    }

    private Map<String, String> values() {
        var values = new LinkedHashMap<String, String>();
        for (String word : words) {
            int equals = word.indexOf('=');
            String key = equals < 0 ? word : word.substring(0, equals);
            if (equals < 0 || !KEYS.contains(key)) {
                throw new UserErrorException("'%s' is not supported. The nearest that is: %s=…."
                        .formatted(word, Suggestion.nearest(key, KEYS)));
            }
            values.put(key, word.substring(equals + 1));
        }
        return values;
    }

    private static String required(Map<String, String> values, String key) {
        return Optional.ofNullable(values.get(key))
                .orElseThrow(() -> new UserErrorException("%s=FILE is missing".formatted(key)));
    }

    private static long blocks(Map<String, String> values, String key, long otherwise, long block) {
        if (!values.containsKey(key)) {
            return otherwise;
        }
        long count = SizeText.parse(key, values.getOrDefault(key, ""));
        return count > Long.MAX_VALUE / block ? Long.MAX_VALUE : count * block;
    }
}
