package org.jvirt.cli.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jvirt.core.HostFailureException;

/// Runs one of the host's programs to its end.
public final class HostCommand {
    /// How it ended.
    ///
    /// @param output standard output and error together
    public record Result(int exitCode, String output) {}

    private HostCommand() {}

    public static Result run(Path directory, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new HostFailureException("Cannot run %s: %s".formatted(command.getFirst(), e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostFailureException("Interrupted while running " + command.getFirst(), e);
        }
    }
}
