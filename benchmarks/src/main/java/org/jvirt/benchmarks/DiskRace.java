package org.jvirt.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// fio in the same guest on a virtio disk, in QEMU and in jvirt, in turns: the same image file through the host's
/// cache. Not thread-safe.
final class DiskRace {
    private static final Duration LIMIT = Duration.ofMinutes(30);
    private static final String FILL = "fill";
    private static final String LARGE = "1M";
    private static final double KIB_PER_MB = 1e6 / 1024;

    // Fields of fio's terse format, version 3, from 0.
    private static final int NAME = 2;
    private static final int ERROR = 4;
    private static final int READ_KIB_PER_SECOND = 6;
    private static final int READ_IOPS = 7;
    private static final int WRITE_KIB_PER_SECOND = 47;
    private static final int WRITE_IOPS = 48;
    private static final int FIELDS = 87;
    private static final int JOBS = 7;

    private final Path directory;
    private final Map<String, List<String>> machines = new LinkedHashMap<>();
    private final PrintWriter out;

    /// @param jvirt the words that start it
    DiskRace(
            Path directory,
            List<String> jvirt,
            String engine,
            int vcpus,
            int memoryMib,
            int secondsEach,
            PrintWriter out) {
        this.directory = directory;
        this.out = out;
        GuestFiles files = GuestFiles.prepare(directory);
        Path initrd = files.disksInitrd(secondsEach);
        Path fio = FioDisk.make(directory).image();
        var qemu = new ArrayList<>(Commands.qemu(files.kernel(), initrd, vcpus, memoryMib));
        qemu.addAll(List.of("-drive", "file=%s,format=raw,if=virtio,readonly=on".formatted(fio)));
        machines.put("QEMU", qemu);
        var ours = new ArrayList<>(Commands.jvirt(jvirt, engine, files.kernel(), initrd, vcpus, memoryMib));
        ours.addAll(List.of("--disk", "file=%s,format=raw,readonly=on".formatted(fio)));
        machines.put("jvirt", ours);
    }

    /// Runs all rounds on images of one format.
    ///
    /// @param megabytes the disk's size
    /// @return the table: requests a second, and MB/s of the large ones
    String run(String format, int megabytes, int rounds) {
        Map<String, Map<String, Sample>> rates = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (String rival : machines.keySet()) {
                out.printf("%s, round %d of %d: %s%n", format, round, rounds, rival);
                out.flush();
                turn(rival, format, megabytes, rates);
            }
        }
        var table = new Table("fio on %s, %d MiB".formatted(format, megabytes), "QEMU", "jvirt", "jvirt/QEMU");
        var ratios = new ArrayList<Double>();
        rates.forEach((job, samples) -> {
            Sample theirs = Objects.requireNonNull(samples.get("QEMU"));
            Sample ours = Objects.requireNonNull(samples.get("jvirt"));
            Sample.compare(table, job, theirs, ours);
            ratios.add(ours.median() / theirs.median());
        });
        table.row("geometric mean", "", "", String.format(Locale.ROOT, "%.2f", Sample.geometricMean(ratios)));
        return table.toString();
    }

    private void turn(String rival, String format, int megabytes, Map<String, Map<String, Sample>> rates) {
        Path image = directory.resolve("race." + format);
        create(image, format, megabytes);
        var command = new ArrayList<>(Objects.requireNonNull(machines.get(rival)));
        command.addAll(
                rival.equals("QEMU")
                        ? List.of("-drive", "file=%s,format=%s,if=virtio".formatted(image, format))
                        : List.of("--disk", "file=%s,format=%s".formatted(image, format)));
        TimedProcess process = TimedProcess.run(command, LIMIT);
        int jobs = 0;
        for (TimedProcess.Line line : process.lines()) {
            String[] fields = line.text().strip().split(";", -1);
            if (fields.length < FIELDS) {
                continue;
            }
            jobs++;
            if (!fields[ERROR].equals("0")) {
                throw new BenchmarkException("%s of %s failed: %s".formatted(fields[NAME], rival, line.text()));
            }
            add(rival, fields, rates);
        }
        if (process.exitCode() != 0 || jobs != JOBS) {
            throw new BenchmarkException("%s gave %d results of %d and exit code %d; it wrote:%n%s"
                    .formatted(rival, jobs, JOBS, process.exitCode(), process.text()));
        }
    }

    private static void add(String rival, String[] fields, Map<String, Map<String, Sample>> rates) {
        String job = fields[NAME];
        if (job.equals(FILL)) {
            return;
        }
        boolean large = job.endsWith(LARGE);
        double read = Double.parseDouble(fields[large ? READ_KIB_PER_SECOND : READ_IOPS]);
        double write = Double.parseDouble(fields[large ? WRITE_KIB_PER_SECOND : WRITE_IOPS]);
        double rate = large ? (read + write) / KIB_PER_MB : read + write;
        rates.computeIfAbsent(job + (large ? ", MB/s" : ", requests/s"), _ -> new LinkedHashMap<>())
                .computeIfAbsent(rival, _ -> new Sample())
                .add(rate);
    }

    private static void create(Path image, String format, int megabytes) {
        try {
            Files.deleteIfExists(image);
        } catch (IOException e) {
            throw new BenchmarkException("Cannot remove %s: %s".formatted(image, e.getMessage()), e);
        }
        List<String> command = List.of("qemu-img", "create", "-q", "-f", format, image.toString(), megabytes + "M");
        TimedProcess process = TimedProcess.run(command, Duration.ofMinutes(1));
        if (process.exitCode() != 0) {
            throw new BenchmarkException("%s failed:%n%s".formatted(String.join(" ", command), process.text()));
        }
    }
}
