package org.jvirt.benchmarks;

import java.io.IOException;
import java.io.Reader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/// A machine that is switched on and, as soon as it has written certain words, off again.
final class PowerOn {
    private PowerOn() {}

    /// @return seconds from the start of the process to the words
    /// @throws BenchmarkException if they do not come in time
    static double secondsTo(String words, List<String> command, Duration limit) {
        long start = System.nanoTime();
        return at(words, command, limit, _ -> (System.nanoTime() - start) / 1e9);
    }

    /// @param look what is to be found out about the process when it has written the words
    /// @throws BenchmarkException if they do not come in time
    static double at(String words, List<String> command, Duration limit, ToDoubleFunction<Process> look) {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new BenchmarkException("Cannot run %s: %s".formatted(command.getFirst(), e.getMessage()), e);
        }
        var _ = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(limit.toNanos(), TimeUnit.NANOSECONDS));
        var text = new StringBuilder();
        try (Reader reader = process.inputReader(java.nio.charset.StandardCharsets.ISO_8859_1)) {
            for (int next = reader.read(); next >= 0; next = reader.read()) {
                text.append((char) next);
                if (text.length() >= words.length() && text.indexOf(words, text.length() - words.length()) >= 0) {
                    return look.applyAsDouble(process);
                }
            }
        } catch (IOException e) {
            throw new BenchmarkException("Cannot read what %s writes: %s".formatted(command, e.getMessage()), e);
        } finally {
            process.destroyForcibly();
            process.onExit().join();
        }
        throw new BenchmarkException("%s did not write '%s' within %d s, but:%n%s"
                .formatted(String.join(" ", command), words, limit.toSeconds(), text));
    }
}
