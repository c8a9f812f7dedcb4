package org.jvirt.cli.image;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jvirt.cli.debian.CpioArchive;

/// The initial RAM disk of the machine that builds: the first guest's, with another archive behind it that replaces
/// `/init` and brings the build's script and its wishes. Linux unpacks archives that follow one another in turn
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
final class BuilderInitrd {
    private BuilderInitrd() {}

    /// @param target  must not exist
    /// @param base    the first guest's, uncompressed
    /// @param sources lines of the new system's `sources.list`
    static void write(
            Path target, Path base, DebianImageRecipe recipe, List<String> sources, List<PackageDisc.Entry> packages)
            throws IOException {
        Files.copy(base, target, StandardCopyOption.COPY_ATTRIBUTES);
        try (var archive =
                new CpioArchive(new BufferedOutputStream(Files.newOutputStream(target, StandardOpenOption.APPEND)))) {
            archive.directory("build", 0700);
            archive.file("init", 0755, resource("init"));
            archive.file("build/build.sh", 0755, resource("build.sh"));
            archive.file("build/plan", 0644, utf8(plan(packages)));
            archive.file("build/uuid", 0644, utf8(UUID.randomUUID() + "\n"));
            archive.file("build/hostname", 0644, utf8(recipe.hostname() + "\n"));
            archive.file("build/sources.list", 0644, utf8(lines(sources)));
            archive.file("build/authorized_keys", 0600, utf8(lines(recipe.authorizedKeys())));
            archive.file(
                    "build/passwords",
                    0600,
                    utf8(recipe.rootPassword()
                            .map(word -> "root:" + word + "\n")
                            .orElse("")));
        }
    }

    private static String plan(List<PackageDisc.Entry> packages) {
        return packages.stream()
                .map(each -> "%s %s %d %s\n"
                        .formatted(
                                each.source().name(),
                                each.fileName(),
                                each.dataTarOffset(),
                                each.source().essential() ? "essential" : "further"))
                .collect(Collectors.joining());
    }

    private static String lines(List<String> lines) {
        return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = BuilderInitrd.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("The program was packaged without its resource " + name);
            }
            return in.readAllBytes();
        }
    }
}
