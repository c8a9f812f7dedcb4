package org.jvirt.cli.console;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Collects keys into a line for the monitor: echo, backspace, Ctrl-U. Not thread-safe.
final class LineEditor {
    private static final int LIMIT = 1000;
    private static final byte CTRL_U = 21;
    private static final byte DELETE = 127;
    private static final byte BACKSPACE = 8;

    private final StringBuilder line = new StringBuilder();

    /// What the terminal shows for a key, and the line where the key ended one.
    record Answer(String echo, Optional<String> line) {
        static Answer echo(String text) {
            return new Answer(text, Optional.empty());
        }
    }

    Answer key(byte key) {
        if (key == '\r' || key == '\n') {
            String done = line.toString();
            line.setLength(0);
            return new Answer("\r\n", Optional.of(done));
        }
        if (key == DELETE || key == BACKSPACE) {
            if (line.isEmpty()) {
                return Answer.echo("");
            }
            line.setLength(line.length() - 1);
            return Answer.echo("\b \b");
        }
        if (key == CTRL_U) {
            String erase = "\b \b".repeat(line.length());
            line.setLength(0);
            return Answer.echo(erase);
        }
        if (key < ' ' || line.length() >= LIMIT) {
            return Answer.echo("");
        }
        line.append((char) key);
        return Answer.echo(new String(new byte[] {key}, StandardCharsets.US_ASCII));
    }
}
