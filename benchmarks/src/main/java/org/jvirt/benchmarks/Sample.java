package org.jvirt.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/// Repeated measurements of one thing. Not thread-safe.
final class Sample {
    private final List<Double> values = new ArrayList<>();

    void add(double value) {
        values.add(value);
    }

    double median() {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double least() {
        return Collections.min(values);
    }

    double greatest() {
        return Collections.max(values);
    }

    /// Median and spread: `1.234 (1.200–1.300)`.
    String text() {
        return String.format(Locale.ROOT, "%.4g (%.4g–%.4g)", median(), least(), greatest());
    }

    /// Adds a line that sets the second against the first.
    static void compare(Table table, String what, Sample first, Sample second) {
        table.row(
                what,
                first.text(),
                second.text(),
                String.format(Locale.ROOT, "%.2f", second.median() / first.median()));
    }

    static double geometricMean(List<Double> ratios) {
        return Math.exp(ratios.stream().mapToDouble(Math::log).average().orElseThrow());
    }
}
