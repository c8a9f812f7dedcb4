package org.jvirt.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/// A Markdown table whose columns are as wide as their widest cell. Not thread-safe.
final class Table {
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headings) {
        row(headings);
    }

    void row(String... cells) {
        rows.add(List.of(cells));
    }

    @Override
    public String toString() {
        int columns = rows.getFirst().size();
        List<Integer> widths = IntStream.range(0, columns)
                .mapToObj(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElseThrow())
                .toList();
        var text = new StringBuilder();
        line(text, rows.getFirst(), widths, ' ');
        line(text, Collections.nCopies(columns, ""), widths, '-');
        rows.subList(1, rows.size()).forEach(row -> line(text, row, widths, ' '));
        return text.toString();
    }

    private static void line(StringBuilder text, List<String> cells, List<Integer> widths, char filler) {
        for (int i = 0; i < cells.size(); i++) {
            String fill =
                    String.valueOf(filler).repeat(widths.get(i) - cells.get(i).length());
            text.append("| ").append(cells.get(i)).append(fill).append(' ');
        }
        text.append("|\n");
    }
}
