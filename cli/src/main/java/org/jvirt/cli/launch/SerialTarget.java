package org.jvirt.cli.launch;

import java.nio.file.Path;
import org.jvirt.core.UserErrorException;

/// Where a serial line leads on the host.
public sealed interface SerialTarget {
    /// The program's own standard input and output.
    ///
    /// @param escapes whether Ctrl-A gives the escape keys and the monitor
    record Stdio(boolean escapes) implements SerialTarget {}

    record File(Path path) implements SerialTarget {}

    record Unix(Path path) implements SerialTarget {}

    record Pty() implements SerialTarget {}

    record None() implements SerialTarget {}

    /// Reads `stdio`, `file:PATH`, `unix:PATH`, `pty` or `none`.
    static SerialTarget parse(String text) {
        return switch (text) {
            case "stdio" -> new Stdio(true);
            case "mon:stdio" -> new Stdio(true);
            case "pty" -> new Pty();
            case "none", "null" -> new None();
            default -> withPath(text);
        };
    }

    private static SerialTarget withPath(String text) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon);
        String rest = colon < 0 ? "" : text.substring(colon + 1);
        if (kind.equals("file") && !rest.isEmpty()) {
            return new File(Path.of(rest));
        }
        if (kind.equals("unix") && !rest.isEmpty()) {
            int comma = rest.indexOf(',');
            return new Unix(Path.of(comma < 0 ? rest : rest.substring(0, comma)));
        }
        throw new UserErrorException(
                "Unknown serial line '%s'. Use stdio, file:PATH, unix:PATH, pty or none.".formatted(text));
    }
}
