package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img info`.
@Command(name = "info", exitCodeOnInvalidInput = 1, description = "Tells about an image.")
final class InfoCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "--output", paramLabel = "human|json", defaultValue = "human", description = "How to print.")
    private String output = "";

    @Option(names = "--backing-chain", description = "Tell about the layers below too.")
    private boolean chain;

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        boolean json = isJson(output);
        ImageOpening opening =
                chain ? ImageOpening.looking() : ImageOpening.looking().withoutBacking();
        try (DiskImage top = source.open(access(), name, opening)) {
            List<ImageReport> layers = new ArrayList<>();
            String shown = source.isPlain(name) ? name : top.name();
            Optional<DiskImage> layer = Optional.of(top);
            while (layer.isPresent()) {
                var report = ImageReport.of(layer.get(), shown);
                layers.add(report);
                shown = report.fullBackingName().orElse("");
                layer = chain ? layer.get().backing() : Optional.empty();
            }
            if (json) {
                List<Map<String, Object>> trees =
                        layers.stream().map(ImageReport::tree).toList();
                out().println(JsonText.of(chain ? trees : trees.getFirst()));
            } else {
                for (int i = 0; i < layers.size(); i++) {
                    out().print(i == 0 ? "" : "\n");
                    layers.get(i).print(out());
                }
            }
        }
        return 0;
    }

    /// The name of the layer below, as seen from where the command runs.
    static String beside(String name, String reference) {
        return reference.contains(":")
                ? reference
                : Path.of(name).resolveSibling(reference).toString();
    }
}
