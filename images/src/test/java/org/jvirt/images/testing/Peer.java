package org.jvirt.images.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/// Runs real tools that our images must agree with.
public final class Peer {
    private Peer() {}

    /// How a tool ended.
    public record Result(int code, String output) {}

    /// Skips the test, and says why, where a tool is missing.
    public static void need(String tool, String debianPackage) {
        boolean present = List.of("/usr/bin", "/usr/sbin", "/sbin", "/bin").stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
        Assumptions.assumeTrue(present, tool + " is missing: apt-get install " + debianPackage);
    }

    /// @param input for its standard input
    public static Result run(Path folder, String input, List<String> command) {
        try {
            Path output = Files.createTempFile(folder, "peer", ".out");
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("Takes too long: " + command);
            }
            String text = Files.readString(output);
            Files.delete(output);
            return new Result(process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// Must succeed.
    public static String expect(Path folder, String... command) {
        Result result = run(folder, "", List.of(command));
        if (result.code != 0) {
            throw new AssertionError(
                    "%s ended with %d:%n%s".formatted(String.join(" ", command), result.code, result.output));
        }
        return result.output;
    }
}
