package org.jvirt.cli.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.tool.CopySource;
import org.jvirt.images.tool.ImageUse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img measure`.
@Command(name = "measure", exitCodeOnInvalidInput = 1, description = "Tells how much space a new image would take.")
final class MeasureCommand extends ImgAction {
    private static final String DEFAULT_CLUSTER_BYTES = "65536";

    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "--output", paramLabel = "human|json", defaultValue = "human", description = "How to print.")
    private String output = "";

    @Option(names = "-O", paramLabel = "FORMAT", defaultValue = "raw", description = "The new image's format.")
    private String targetFormat = "";

    @Option(
            names = "-o",
            paramLabel = "OPTIONS",
            description = "Of the new format: name=value,…; '-o help' lists them.")
    private List<String> options = new ArrayList<>();

    @Option(names = "--size", paramLabel = "SIZE", description = "For an empty disk of this size, without FILE.")
    private @Nullable String size;

    @Option(names = "-l", paramLabel = "SNAPSHOT", description = "For an internal snapshot of FILE.")
    private @Nullable String snapshot;

    @Parameters(arity = "0..1", paramLabel = "FILE", description = "The image that would be converted.")
    private @Nullable String name;

    @Override
    int perform() throws IOException {
        boolean json = isJson(output);
        FormatDriver driver = DiskImages.driver(format("-O", targetFormat));
        FormatOptions given = FormatOptions.parse(options);
        if (given.help()) {
            FormatOptions.print(out(), "Supported %s options:".formatted(targetFormat), driver.createOptions());
            return 0;
        }
        Map<String, String> checked = given.checked(targetFormat, driver.createOptions());
        if ((size == null) == (name == null)) {
            throw new UserErrorException("Give either --size or an image");
        }
        if (size != null) {
            long bytes = SizeText.parse("--size", size);
            print(json, driver.measure(bytes, 0, access().request(bytes, checked)), OptionalLong.empty());
            return 0;
        }
        try (DiskImage image = source.open(access(), String.valueOf(name), ImageOpening.reading())) {
            CopySource from = snapshot == null ? new CopySource.OfImage(image) : SnapshotName.source(image, snapshot);
            long cluster = Long.parseLong(checked.getOrDefault("cluster_size", DEFAULT_CLUSTER_BYTES));
            long data = ImageUse.dataBytes(from, cluster);
            FormatDriver.Measure measure =
                    driver.measure(from.length(), data, access().request(from.length(), checked));
            print(json, measure, BitmapSpace.bytes(image, driver.format(), cluster));
        }
        return 0;
    }

    private void print(boolean json, FormatDriver.Measure measure, OptionalLong bitmaps) {
        if (json) {
            var tree = new LinkedHashMap<String, Object>();
            tree.put("required", measure.requiredBytes());
            tree.put("fully-allocated", measure.fullyAllocatedBytes());
            bitmaps.ifPresent(bytes -> tree.put("bitmaps", bytes));
            out().println(JsonText.of(tree));
        } else {
            out().println("required size: " + measure.requiredBytes());
            out().println("fully allocated size: " + measure.fullyAllocatedBytes());
            bitmaps.ifPresent(bytes -> out().println("bitmaps size: " + bytes));
        }
    }
}
