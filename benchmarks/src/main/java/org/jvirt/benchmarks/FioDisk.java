package org.jvirt.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A file system with this host's fio and the libraries it needs, for guests to run it.
///
/// @param image raw, ext4 without a partition table
record FioDisk(Path image) {
    private static final Path FIO = Path.of("/usr/bin/fio");
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final String SIZE = "192M";
    private static final Pattern LIBRARY = Pattern.compile("(/\\S+)");

    /// Makes it in a directory.
    static FioDisk make(Path directory) {
        if (!Files.isExecutable(FIO)) {
            throw new BenchmarkException("No fio: install it with apt-get install fio");
        }
        Path root = directory.resolve("fio");
        Path image = directory.resolve("fio.img");
        try {
            for (String place : List.of("dev", "proc", "sys", "tmp")) {
                Files.createDirectories(root.resolve(place));
            }
            copy(FIO, root);
            Matcher library = LIBRARY.matcher(output(List.of("ldd", FIO.toString())));
            while (library.find()) {
                copy(Path.of(library.group(1)), root);
            }
        } catch (IOException e) {
            throw new BenchmarkException("Cannot copy fio to %s: %s".formatted(root, e), e);
        }
        output(List.of("/sbin/mke2fs", "-q", "-t", "ext4", "-d", root.toString(), image.toString(), SIZE));
        return new FioDisk(image);
    }

    private static void copy(Path file, Path root) throws IOException {
        Path target = root.resolve(file.toString().substring(1));
        if (!Files.exists(target)) {
            Files.createDirectories(target.getParent());
            Files.copy(file.toRealPath(), target);
        }
    }

    private static String output(List<String> command) {
        TimedProcess process = TimedProcess.run(command, LIMIT);
        if (process.exitCode() != 0) {
            throw new BenchmarkException("%s failed:%n%s".formatted(String.join(" ", command), process.text()));
        }
        return process.text();
    }
}
