package org.jvirt.acceptance;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A running `jvirt` command: the staged one where there is one, else the classes of this test's class path.
final class Jvirt implements GuestConsole, AutoCloseable {
    /// For a command that starts no operating system.
    static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Process process;
    private final Transcript out;
    private final Transcript err;

    /// How a command ended.
    record Outcome(int exitCode, String out, String err) {}

    private Jvirt(Process process) {
        this.process = process;
        out = Transcript.of(process.getInputStream(), "jvirt-out");
        err = Transcript.of(process.getErrorStream(), "jvirt-err");
    }

    static Jvirt start(String... arguments) {
        var words = new ArrayList<>(command());
        words.addAll(List.of(arguments));
        try {
            return new Jvirt(new ProcessBuilder(words).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Runs a command without input to its end.
    static Outcome run(String... arguments) throws InterruptedException {
        try (Jvirt jvirt = start(arguments)) {
            jvirt.closeInput();
            return jvirt.end(PATIENCE);
        }
    }

    /// The words that start the program.
    static List<String> command() {
        if (isStaged()) {
            return List.of(root().resolve("jvirt").toAbsolutePath().toString());
        }
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                absolute(System.getProperty("java.class.path")),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "org.jvirt.cli.Main");
    }

    private static Path root() {
        return Path.of(System.getProperty("jvirt.root", ".."));
    }

    /// Whether commands are those that users start.
    static boolean isStaged() {
        Path stage = Path.of(
                System.getProperty("jvirt.stage", root().resolve("target/jvirt").toString()));
        return System.getProperty("jvirt.root") != null && Files.isDirectory(stage.resolve("lib"));
    }

    /// Of the command, while it runs.
    long processId() {
        return process.pid();
    }

    private static String absolute(String classPath) {
        return String.join(
                File.pathSeparator,
                List.of(classPath.split(File.pathSeparator)).stream()
                        .map(entry -> Path.of(entry).toAbsolutePath().toString())
                        .toList());
    }

    @Override
    public void type(String text) {
        try {
            OutputStream in = process.getOutputStream();
            in.write(text.getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            throw new AssertionError("Typing failed; the command wrote: " + err.all(), e);
        }
    }

    @Override
    public String expect(String words, Duration patience) throws InterruptedException {
        return out.expect(words, patience);
    }

    /// Hangs up: whatever the command writes from now on reaches nobody.
    void closeOutput() throws IOException {
        process.getInputStream().close();
    }

    /// Ends the command as SIGKILL does: it has no chance to tidy up.
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// Ends the command's input.
    void closeInput() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Outcome end(Duration patience) throws InterruptedException {
        return new Outcome(exitCode(patience), out.complete(PATIENCE), err.complete(PATIENCE));
    }

    /// Waits for the command's end, whatever may still come from it.
    int exitCode(Duration patience) throws InterruptedException {
        if (!process.waitFor(patience.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new AssertionError(
                    "The command still runs after %s. It wrote:%n%s%s".formatted(patience, out.all(), err.all()));
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
