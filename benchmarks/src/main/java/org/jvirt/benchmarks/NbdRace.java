package org.jvirt.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// `jvirt nbd` against qemu-nbd under the same clients, and `jvirt img` against qemu-img as clients of the same
/// server, over a Unix socket, on the raw disk that [ImageRace] has made. Servers go on from round to round, as
/// they do in life.
final class NbdRace {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final long START_SECONDS = 30;
    /// Small reads, 16 at once, each behind the end of what the host reads ahead for the one before.
    private static final String SMALL_READS = "bench -q -f raw -c 100000 -d 16 -s 4096 -S 1052672 @";

    private NbdRace() {}

    static String run(Path directory, List<String> jvirt, int rounds) {
        String disk = directory.resolve("disk.raw").toString();
        List<String> image = with(jvirt, "img");
        var table = new Table("NBD", "QEMU s", "jvirt s", "jvirt/QEMU");
        var ratios = new ArrayList<Double>();
        try (Server qemus = Server.start(List.of("qemu-nbd"), directory.resolve("qemu.sock"), disk);
                Server ours = Server.start(with(jvirt, "nbd"), directory.resolve("jvirt.sock"), disk)) {
            List<String> qemuImg = List.of("qemu-img");
            List<String> copy = List.of("nbdcopy");
            compare(table, ratios, rounds, "server, all of it (nbdcopy)", "@ null:", copy, qemus, copy, ours);
            compare(
                    table,
                    ratios,
                    rounds,
                    "server, 4 KiB reads, 16 at once",
                    SMALL_READS,
                    qemuImg,
                    qemus,
                    qemuImg,
                    ours);
            String convert = "convert -f raw -O raw @ " + directory.resolve("made");
            compare(table, ratios, rounds, "client, to a raw file", convert, qemuImg, qemus, image, qemus);
            compare(
                    table,
                    ratios,
                    rounds,
                    "client, 4 KiB reads, 16 at once",
                    SMALL_READS,
                    qemuImg,
                    qemus,
                    image,
                    qemus);
        }
        table.row("geometric mean", "", "", String.format(Locale.ROOT, "%.2f", Sample.geometricMean(ratios)));
        return table.toString();
    }

    private static List<String> with(List<String> program, String verb) {
        var words = new ArrayList<>(program);
        words.add(verb);
        return List.copyOf(words);
    }

    /// @param words `@` stands for the server's URI
    private static void compare(
            Table table,
            List<Double> ratios,
            int rounds,
            String what,
            String words,
            List<String> first,
            Server firstServer,
            List<String> second,
            Server secondServer) {
        var theirs = new Sample();
        var ours = new Sample();
        // One round more than counted: caches and compiled code.
        for (int round = 0; round <= rounds; round++) {
            double one = time(first, words, firstServer);
            double other = time(second, words, secondServer);
            if (round > 0) {
                theirs.add(one);
                ours.add(other);
            }
        }
        Sample.compare(table, what, theirs, ours);
        ratios.add(ours.median() / theirs.median());
    }

    private static double time(List<String> program, String words, Server server) {
        var command = new ArrayList<>(program);
        for (String word : words.split(" ", -1)) {
            command.add(word.replace("@", server.uri()));
        }
        TimedProcess process = TimedProcess.run(command, LIMIT);
        if (process.exitCode() != 0) {
            throw new BenchmarkException(
                    "%s ended with %d:%n%s".formatted(String.join(" ", command), process.exitCode(), process.text()));
        }
        return process.seconds();
    }

    /// A server under way, until it is closed.
    private record Server(Process process, Path socket) implements AutoCloseable {
        static Server start(List<String> program, Path socket, String disk) {
            var command = new ArrayList<>(program);
            command.addAll(List.of("-r", "-f", "raw", "-t", "-e", "8", "-k", socket.toString(), disk));
            try {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                var server = new Server(process, socket);
                server.awaitSocket(String.join(" ", command));
                return server;
            } catch (IOException e) {
                throw new BenchmarkException("Cannot run %s: %s".formatted(command.getFirst(), e.getMessage()), e);
            }
        }

        private void awaitSocket(String command) {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
            try {
                while (!Files.exists(socket)) {
                    if (System.nanoTime() > deadline || process.waitFor(20, TimeUnit.MILLISECONDS)) {
                        process.destroyForcibly();
                        throw new BenchmarkException(
                                "%s did not listen at %s within %d s".formatted(command, socket, START_SECONDS));
                    }
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
                throw new BenchmarkException("Interrupted", e);
            }
        }

        String uri() {
            return "nbd+unix:///?socket=" + socket;
        }

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
