package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// ISO 9660 images for tests, made by Debian's genisoimage.
final class Disc {
    private static final Path TOOL = Path.of("/usr/bin/genisoimage");

    private Disc() {}

    /// A disc with one file.
    ///
    /// @param options for genisoimage, before the directory
    static Path create(Path image, String fileName, byte[] content, String... options)
            throws IOException, InterruptedException {
        if (!Files.isExecutable(TOOL)) {
            abort("genisoimage is not installed. Run: apt-get install genisoimage");
        }
        Path directory = Files.createDirectory(image.resolveSibling(image.getFileName() + ".d"));
        Files.write(directory.resolve(fileName), content);
        var words = new ArrayList<>(List.of(TOOL.toString(), "-quiet", "-R", "-o", image.toString()));
        words.addAll(List.of(options));
        words.add(directory.toString());
        Process tool = new ProcessBuilder(words).redirectErrorStream(true).start();
        String output = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(tool.waitFor()).as(output).isZero();
        return image;
    }
}
