package org.jvirt.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The host's `/proc`, `/sys` and `/dev`, or a test's imitation of them.
///
/// @param root `/` on a real host
public record HostFiles(Path root) {
    public static HostFiles real() {
        return new HostFiles(Path.of("/"));
    }

    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    boolean exists(String absolute) {
        return Files.exists(path(absolute));
    }

    /// The content without surrounding white space, or empty where it cannot be read.
    Optional<String> read(String absolute) {
        try {
            return Optional.of(Files.readString(path(absolute)).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// The value behind `key:` in a file of such lines, such as `/proc/meminfo`.
    Optional<String> field(String absolute, String key) {
        return read(absolute)
                .flatMap(text -> text.lines()
                        .filter(line -> line.startsWith(key)
                                && line.substring(key.length()).strip().startsWith(":"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst());
    }
}
