package org.jvirt.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Debian's own programs natively and in guests, in turns, and the table. Not thread-safe.
///
/// Times are the guests' own (CLOCK_MONOTONIC) and are checked against the host's clock; what the programs write
/// must be the same everywhere.
final class ProgramRace {
    /// How far a guest's clock may be off: this part of the time, and the constant for a busy host's late reading.
    private static final double TOLERANCE = 0.1;

    private static final double TOLERANCE_SECONDS = 0.3;
    private static final int PROGRAMS = 8;

    private final List<ProgramRival> rivals;
    private final PrintWriter out;
    private final Map<String, Map<ProgramRival, Sample>> seconds = new LinkedHashMap<>();
    private final Map<String, String> checksums = new LinkedHashMap<>();

    /// @param rivals the first is what the others are compared with
    ProgramRace(List<ProgramRival> rivals, PrintWriter out) {
        this.rivals = List.copyOf(rivals);
        this.out = out;
    }

    /// Runs all rounds.
    ///
    /// @throws BenchmarkException if a program fails, writes something else than elsewhere, or a clock is wrong
    void run(int rounds) {
        for (int round = 1; round <= rounds; round++) {
            for (ProgramRival rival : rivals) {
                out.printf("round %d of %d: %s%n", round, rounds, rival.name());
                out.flush();
                turn(rival);
            }
        }
    }

    private void turn(ProgramRival rival) {
        TimedProcess process = TimedProcess.run(rival.command(), ProgramRival.LIMIT);
        List<Measurement> found = Measurement.in(process.text());
        if (process.exitCode() != 0 || found.size() != PROGRAMS) {
            throw new BenchmarkException("%s gave %d results of %d and exit code %d; it wrote:%n%s"
                    .formatted(rival.name(), found.size(), PROGRAMS, process.exitCode(), process.text()));
        }
        for (Measurement each : found) {
            checkClock(rival, process, each);
            String before = checksums.putIfAbsent(each.kernel(), each.checksum());
            if (before != null && !before.equals(each.checksum())) {
                throw new BenchmarkException("%s writes something else in %s: %s instead of %s"
                        .formatted(each.kernel(), rival.name(), each.checksum(), before));
            }
            seconds.computeIfAbsent(each.kernel(), _ -> new LinkedHashMap<>())
                    .computeIfAbsent(rival, _ -> new Sample())
                    .add(each.seconds());
        }
    }

    private static void checkClock(ProgramRival rival, TimedProcess process, Measurement measured) {
        double host = process.secondsTo("end " + measured.kernel()) - process.secondsTo("begin " + measured.kernel());
        if (Math.abs(measured.seconds() - host) > TOLERANCE * host + TOLERANCE_SECONDS) {
            throw new BenchmarkException("%s: the clock of %s counts %.3f s where the host counts %.3f s"
                    .formatted(measured.kernel(), rival.name(), measured.seconds(), host));
        }
    }

    /// Seconds as median and spread, and ratios of medians; the last line has the ratios' geometric means.
    String table() {
        var headings = new ArrayList<>(List.of("program"));
        rivals.forEach(rival -> headings.add(rival.name() + " s"));
        var pairs = new ArrayList<List<ProgramRival>>();
        for (int of = 0; of < rivals.size(); of++) {
            for (int to = 0; to < of; to++) {
                pairs.add(List.of(rivals.get(of), rivals.get(to)));
                headings.add(rivals.get(of).name() + "/" + rivals.get(to).name());
            }
        }
        var table = new Table(headings.toArray(String[]::new));
        var ratios = new LinkedHashMap<List<ProgramRival>, List<Double>>();
        seconds.forEach((program, samples) -> {
            var cells = new ArrayList<>(List.of(program));
            rivals.forEach(rival -> cells.add(sample(samples, rival).text()));
            for (List<ProgramRival> pair : pairs) {
                double ratio = sample(samples, pair.getFirst()).median()
                        / sample(samples, pair.getLast()).median();
                ratios.computeIfAbsent(pair, _ -> new ArrayList<>()).add(ratio);
                cells.add(text(ratio));
            }
            table.row(cells.toArray(String[]::new));
        });
        var last = new ArrayList<>(List.of("geometric mean"));
        rivals.forEach(_ -> last.add(""));
        ratios.values().forEach(values -> last.add(text(Sample.geometricMean(values))));
        table.row(last.toArray(String[]::new));
        return table.toString();
    }

    private static Sample sample(Map<ProgramRival, Sample> samples, ProgramRival rival) {
        return samples.computeIfAbsent(rival, _ -> new Sample());
    }

    private static String text(double ratio) {
        return String.format(Locale.ROOT, "%.2f", ratio);
    }
}
