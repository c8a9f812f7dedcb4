package org.jvirt.acceptance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A shell at a terminal of tmux, on a server of its own. Not thread-safe.
final class TmuxTerminal implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Path socket;
    private final Transcript screen;

    private TmuxTerminal(Path socket, Transcript screen) {
        this.socket = socket;
        this.screen = screen;
    }

    static boolean installed() {
        try {
            return run(List.of("tmux", "-V")) == 0;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /// Starts `sh` in `directory`. What the terminal is sent comes back through a named pipe.
    static TmuxTerminal open(Path directory) throws IOException {
        Path socket = directory.resolve("tmux");
        Path pipe = directory.resolve("screen");
        check(List.of("mkfifo", pipe.toString()));
        check(List.of(
                "tmux",
                "-S",
                socket.toString(),
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                "120",
                "-y",
                "40",
                "-c",
                directory.toString(),
                "sh"));
        check(List.of("tmux", "-S", socket.toString(), "pipe-pane", "cat > '" + pipe + "'"));
        return new TmuxTerminal(socket, Transcript.of(Files.newInputStream(pipe), "tmux-screen"));
    }

    /// Presses keys by their tmux names.
    void keys(String... names) {
        send(List.of(names));
    }

    /// Types text as it is; a line feed is the Enter key.
    void text(String text) {
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            if (!lines[i].isEmpty()) {
                send(List.of("-l", "--", lines[i]));
            }
            if (i + 1 < lines.length) {
                send(List.of("Enter"));
            }
        }
    }

    private void send(List<String> words) {
        var command = new ArrayList<>(List.of("tmux", "-S", socket.toString(), "send-keys"));
        command.addAll(words);
        check(command);
    }

    String expect(String words) throws InterruptedException {
        return screen.expect(words, PATIENCE);
    }

    @Override
    public void close() {
        check(List.of("tmux", "-S", socket.toString(), "kill-server"));
    }

    private static void check(List<String> command) {
        int status = run(command);
        if (status != 0) {
            throw new AssertionError("%s ended with %d".formatted(command, status));
        }
    }

    private static int run(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("%s does not end".formatted(command));
            }
            return process.exitValue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
    }
}
