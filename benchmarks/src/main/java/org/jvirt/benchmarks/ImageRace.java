package org.jvirt.benchmarks;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// `jvirt img` against qemu-img, whole processes on the same files: a disk of which one half is holes, a quarter
/// text and a quarter noise.
final class ImageRace {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final int PIECE_BYTES = 1 << 20;
    private static final long SEED = 1;

    /// One line of the table.
    ///
    /// @param words `@` stands for the directory, `%` for a file of its own for each rival
    private record Job(String what, String words) {}

    private static final List<Job> JOBS = List.of(
            new Job("create qcow2", "create -q -f qcow2 % 2G"),
            new Job("raw to qcow2", "convert -f raw -O qcow2 @disk.raw %"),
            new Job("qcow2 to raw", "convert -f qcow2 -O raw @disk.qcow2 %"),
            new Job("qcow2 to qcow2, zlib", "convert -f qcow2 -O qcow2 -c @disk.qcow2 %"),
            new Job("qcow2 to qcow2, zstd", "convert -f qcow2 -O qcow2 -c -o compression_type=zstd @disk.qcow2 %"),
            new Job("check qcow2", "check -q -f qcow2 @disk.qcow2"),
            new Job("compare raw with qcow2", "compare -q -f raw -F qcow2 @disk.raw @disk.qcow2"),
            new Job("snapshot qcow2", "snapshot -q -c s @disk.qcow2"),
            new Job("info qcow2", "info @disk.qcow2"));

    private ImageRace() {}

    /// @param megabytes of the disk
    static String run(Path directory, List<String> jvirt, int megabytes, int rounds) {
        makeDisk(directory.resolve("disk.raw"), megabytes);
        var ours = new ArrayList<>(jvirt);
        ours.add("img");
        List<String> theirs = List.of("qemu-img");
        time(theirs, new Job("", "convert -f raw -O qcow2 @disk.raw @disk.qcow2"), directory);
        var table = new Table("image job, %d MB".formatted(megabytes), "qemu-img s", "jvirt s", "jvirt/qemu-img");
        var ratios = new ArrayList<Double>();
        for (Job job : JOBS) {
            var first = new Sample();
            var second = new Sample();
            // One round more than counted: files come into the host's cache.
            for (int round = 0; round <= rounds; round++) {
                double qemu = time(theirs, job, directory);
                double jvirts = time(ours, job, directory);
                if (round > 0) {
                    first.add(qemu);
                    second.add(jvirts);
                }
            }
            Sample.compare(table, job.what(), first, second);
            ratios.add(second.median() / first.median());
        }
        table.row("geometric mean", "", "", String.format(Locale.ROOT, "%.2f", Sample.geometricMean(ratios)));
        return table.toString();
    }

    private static double time(List<String> program, Job job, Path directory) {
        Path made = directory.resolve("made");
        var command = new ArrayList<>(program);
        for (String word : job.words().split(" ", -1)) {
            command.add(word.replace("@", directory + "/").replace("%", made.toString()));
        }
        TimedProcess process = TimedProcess.run(command, LIMIT);
        if (process.exitCode() != 0) {
            throw new BenchmarkException(
                    "%s ended with %d:%n%s".formatted(String.join(" ", command), process.exitCode(), process.text()));
        }
        try {
            Files.deleteIfExists(made);
        } catch (IOException e) {
            throw new BenchmarkException("Cannot remove %s: %s".formatted(made, e.getMessage()), e);
        }
        return process.seconds();
    }

    private static void makeDisk(Path path, int megabytes) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength((long) megabytes * PIECE_BYTES);
            byte[] piece = new byte[PIECE_BYTES];
            for (int i = 0; i < megabytes; i += 2) {
                if (i % 4 == 0) {
                    random.nextBytes(piece);
                } else {
                    fillWithText(piece, i, random);
                }
                file.seek((long) i * PIECE_BYTES);
                file.write(piece);
            }
        } catch (IOException e) {
            throw new BenchmarkException("Cannot make %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static void fillWithText(byte[] piece, int number, RandomGenerator random) {
        int at = 0;
        while (at < piece.length) {
            byte[] line = "piece %d: a line of text with the value %d in it\n"
                    .formatted(number, random.nextInt(1_000_000))
                    .getBytes(StandardCharsets.US_ASCII);
            int length = Math.min(line.length, piece.length - at);
            System.arraycopy(line, 0, piece, at, length);
            at += length;
        }
    }
}
