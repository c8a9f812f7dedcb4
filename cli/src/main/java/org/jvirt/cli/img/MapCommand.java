package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img map`.
@Command(name = "map", exitCodeOnInvalidInput = 1, description = "Tells where the content of an image lies.")
@SuppressWarnings("ReferenceEquality") // the layer itself
final class MapCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "--output", paramLabel = "human|json", defaultValue = "human", description = "How to print.")
    private String output = "";

    @Option(
            names = {"-s", "--start-offset"},
            paramLabel = "OFFSET",
            defaultValue = "0",
            description = "Where to begin.")
    private String start = "";

    @Option(
            names = {"-l", "--max-length"},
            paramLabel = "LENGTH",
            description = "How far to look.")
    private @Nullable String length;

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        boolean json = isJson(output);
        long from = SizeText.parse("--start-offset", start);
        try (DiskImage image = source.open(access(), name, ImageOpening.reading())) {
            long limit = Optional.ofNullable(length)
                    .map(text -> SizeText.parse("--max-length", text))
                    .orElse(Long.MAX_VALUE);
            long end = limit > image.sizeBytes() - from ? image.sizeBytes() : from + limit;
            List<BlockStatus> runs = new ArrayList<>();
            ChainMap.runs(image, from, end, runs::add);
            if (json) {
                printJson(runs);
            } else {
                print(image, runs);
            }
        }
        return 0;
    }

    private void printJson(List<BlockStatus> runs) {
        var text = new StringBuilder("[");
        for (BlockStatus run : runs) {
            text.append(text.length() == 1 ? "" : ",\n");
            text.append("{ \"start\": %d, \"length\": %d, \"depth\": %d, \"present\": %b, \"zero\": %b, \"data\": %b"
                    .formatted(
                            run.offsetBytes(), run.lengthBytes(), run.depth(), run.present(), run.zero(), run.data()));
            run.hostOffsetBytes()
                    .ifPresent(offset -> text.append(", \"offset\": ").append(offset));
            text.append('}');
        }
        out().println(text.append(']'));
    }

    private void print(DiskImage top, List<BlockStatus> runs) {
        out().println("%-16s%-16s%-16s%s".formatted("Offset", "Length", "Mapped to", "File"));
        for (BlockStatus run : runs) {
            if (run.zero()) {
                continue;
            }
            long mapped = run.hostOffsetBytes()
                    .orElseThrow(() -> new UserErrorException(
                            "Cannot map %s: content at %d is compressed, encrypted or in another file; use --output=json"
                                    .formatted(name, run.offsetBytes())));
            out().println("%-16s%-16s%-16s%s"
                    .formatted(
                            hex(run.offsetBytes()),
                            hex(run.lengthBytes()),
                            hex(mapped),
                            run.layer() == top ? name : run.layer().name()));
        }
    }

    private static String hex(long value) {
        return value == 0 ? "0" : "0x" + Long.toHexString(value);
    }
}
