package org.jvirt.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A program's run, with the time at which each line of its output came.
///
/// @param lines    output and errors together
/// @param seconds  from the start of the process to its end
/// @param exitCode what it ended with
record TimedProcess(List<Line> lines, double seconds, int exitCode) {
    /// @param seconds since the start of the process
    record Line(double seconds, String text) {}

    /// Runs a program with an empty input to its end.
    ///
    /// @throws BenchmarkException if it cannot be started, or does not end in time
    static TimedProcess run(List<String> command, Duration limit) {
        var lines = new ArrayList<Line>();
        long start = System.nanoTime();
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                    .start();
        } catch (IOException e) {
            throw new BenchmarkException("Cannot run %s: %s".formatted(command.getFirst(), e.getMessage()), e);
        }
        CompletableFuture<Boolean> inTime =
                process.onExit().thenApply(_ -> true).completeOnTimeout(false, limit.toNanos(), TimeUnit.NANOSECONDS);
        var _ = inTime.thenAccept(ended -> {
            if (!ended) {
                process.destroyForcibly();
            }
        });
        try (BufferedReader reader = process.inputReader(StandardCharsets.ISO_8859_1)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(new Line((System.nanoTime() - start) / 1e9, line));
            }
            int exitCode = process.waitFor();
            double seconds = (System.nanoTime() - start) / 1e9;
            if (!inTime.join()) {
                throw new BenchmarkException("%s did not end within %d s; it wrote:%n%s"
                        .formatted(String.join(" ", command), limit.toSeconds(), text(lines)));
            }
            return new TimedProcess(List.copyOf(lines), seconds, exitCode);
        } catch (IOException e) {
            throw new BenchmarkException("Cannot read what %s writes: %s".formatted(command, e.getMessage()), e);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new BenchmarkException("Interrupted", e);
        }
    }

    private static String text(List<Line> lines) {
        return String.join("\n", lines.stream().map(Line::text).toList());
    }

    String text() {
        return text(lines);
    }

    /// When a line with these words came.
    ///
    /// @throws BenchmarkException if none did
    double secondsTo(String words) {
        return lines.stream()
                .filter(line -> line.text().contains(words))
                .mapToDouble(Line::seconds)
                .findFirst()
                .orElseThrow(
                        () -> new BenchmarkException("'%s' never came; the output was:%n%s".formatted(words, text())));
    }
}
