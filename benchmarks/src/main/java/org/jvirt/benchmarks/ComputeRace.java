package org.jvirt.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jvirt.benchmarks.Rival.Work;

/// The benchmark program on the host and on two rivals, round by round, and the table. Not thread-safe.
///
/// The second rival may do less work than the first. Each is compared with native runs of its own size, since some
/// kernels prepare data whatever the size; of rivals with different sizes these ratios are compared.
final class ComputeRace {
    /// Native runs are short, so there are several of them for one of a rival.
    private static final int NATIVE_RUNS = 3;

    /// A rival, its work, and what was measured of it.
    ///
    /// @param seconds       by kernel
    /// @param nativeSeconds by kernel, for the same work
    private record Entrant(Rival rival, Work work, Map<String, Sample> seconds, Map<String, Sample> nativeSeconds) {
        Entrant(Rival rival, Work work) {
            this(rival, work, new LinkedHashMap<>(), new LinkedHashMap<>());
        }

        double median(String kernel) {
            return sample(seconds, kernel).median();
        }

        double ratio(String kernel) {
            return median(kernel) / sample(nativeSeconds, kernel).median();
        }

        static Sample sample(Map<String, Sample> samples, String kernel) {
            return samples.computeIfAbsent(kernel, _ -> new Sample());
        }
    }

    private final GuestFiles files;
    private final PrintWriter out;
    private final Rival host = new Rival.Native();
    private final Entrant first;
    private final Entrant second;

    ComputeRace(GuestFiles files, Rival first, Work firstWork, Rival second, Work secondWork, PrintWriter out) {
        this.files = files;
        this.out = out;
        this.first = new Entrant(first, firstWork);
        this.second = new Entrant(second, secondWork);
    }

    /// Runs all rounds.
    ///
    /// @throws BenchmarkException if a rival computes something else than the host
    void run(int rounds) {
        for (int round = 1; round <= rounds; round++) {
            for (Entrant entrant : List.of(first, second)) {
                out.printf(
                        Locale.ROOT,
                        "round %d of %d: native and %s at scale %d%n",
                        round,
                        rounds,
                        entrant.rival.name(),
                        entrant.work.scale());
                out.flush();
                turn(entrant);
            }
        }
    }

    private void turn(Entrant entrant) {
        List<Measurement> expected = List.of();
        for (int i = 0; i < NATIVE_RUNS; i++) {
            expected = host.run(files, entrant.work);
            expected.forEach(
                    each -> Entrant.sample(entrant.nativeSeconds, each.kernel()).add(each.seconds()));
        }
        List<Measurement> found = entrant.rival.run(files, entrant.work);
        for (int i = 0; i < expected.size(); i++) {
            Measurement want = expected.get(i);
            Measurement got = found.get(i);
            if (!want.kernel().equals(got.kernel()) || !want.checksum().equals(got.checksum())) {
                throw new BenchmarkException("%s computes %s of %s, the host %s of %s"
                        .formatted(entrant.rival.name(), got.checksum(), got.kernel(), want.checksum(), want.kernel()));
            }
            Entrant.sample(entrant.seconds, got.kernel()).add(got.seconds());
        }
    }

    /// Seconds as median and spread, and ratios of medians; the last line has the ratios' geometric means.
    String table() {
        var table = new Table(
                "kernel",
                heading("native", first),
                heading(first.rival.name(), first),
                first.rival.name() + "/native",
                heading("native", second),
                heading(second.rival.name(), second),
                second.rival.name() + "/native",
                second.rival.name() + "/" + first.rival.name());
        var firstRatios = new ArrayList<Double>();
        var secondRatios = new ArrayList<Double>();
        var bothRatios = new ArrayList<Double>();
        for (String kernel : first.seconds.keySet()) {
            firstRatios.add(first.ratio(kernel));
            secondRatios.add(second.ratio(kernel));
            bothRatios.add(
                    first.work.scale() == second.work.scale()
                            ? second.median(kernel) / first.median(kernel)
                            : second.ratio(kernel) / first.ratio(kernel));
            table.row(
                    kernel,
                    Entrant.sample(first.nativeSeconds, kernel).text(),
                    Entrant.sample(first.seconds, kernel).text(),
                    ratio(firstRatios.getLast()),
                    Entrant.sample(second.nativeSeconds, kernel).text(),
                    Entrant.sample(second.seconds, kernel).text(),
                    ratio(secondRatios.getLast()),
                    ratio(bothRatios.getLast()));
        }
        table.row(
                "geometric mean",
                "",
                "",
                ratio(Sample.geometricMean(firstRatios)),
                "",
                "",
                ratio(Sample.geometricMean(secondRatios)),
                ratio(Sample.geometricMean(bothRatios)));
        return table.toString();
    }

    private static String heading(String name, Entrant entrant) {
        return "%s s, scale %d".formatted(name, entrant.work.scale());
    }

    private static String ratio(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
