package org.jvirt.acceptance;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `/proc/interrupts`, read.
///
/// @param rows by the label at the line's beginning, as `4` or `LOC`
record Interrupts(Map<String, Row> rows) {
    /// @param counts by processor
    record Row(List<Long> counts, String description) {
        long total() {
            return counts.stream().mapToLong(Long::longValue).sum();
        }
    }

    static Interrupts of(String text) {
        List<String> lines = text.lines().toList();
        int cpus = lines.getFirst().strip().split("\\s+").length;
        Map<String, Row> rows = new LinkedHashMap<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] words = line.strip().split("\\s+");
            int numbers = Math.min(cpus, words.length - 1);
            List<Long> counts =
                    Arrays.stream(words, 1, 1 + numbers).map(Long::valueOf).toList();
            String description = String.join(" ", Arrays.asList(words).subList(1 + numbers, words.length));
            rows.put(words[0].replace(":", ""), new Row(counts, description));
        }
        return new Interrupts(rows);
    }

    Row row(String label) {
        Row row = rows.get(label);
        if (row == null) {
            throw new AssertionError(
                    "There is no line '%s' in /proc/interrupts; there are %s".formatted(label, rows.keySet()));
        }
        return row;
    }

    /// How often the interrupts whose description ends so have come, on all processors.
    long totalOf(String descriptionEnd) {
        List<Row> found = rows.values().stream()
                .filter(row -> row.description().endsWith(descriptionEnd))
                .toList();
        if (found.isEmpty()) {
            throw new AssertionError("No interrupt is described as '%s' in %s".formatted(descriptionEnd, rows));
        }
        return found.stream().mapToLong(Row::total).sum();
    }
}
