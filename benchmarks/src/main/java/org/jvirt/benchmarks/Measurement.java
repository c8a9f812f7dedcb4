package org.jvirt.benchmarks;

import java.util.List;
import java.util.regex.Pattern;

/// A line of the benchmark program.
///
/// @param checksum depends on all that was computed
record Measurement(String kernel, double seconds, String checksum) {
    private static final Pattern LINE = Pattern.compile("bench (\\w+) ([\\d.]+) ([0-9a-f]{16})");

    /// Reads them out of a program's, or a whole machine's, output.
    static List<Measurement> in(String output) {
        return LINE.matcher(output)
                .results()
                .map(found -> new Measurement(found.group(1), Double.parseDouble(found.group(2)), found.group(3)))
                .toList();
    }
}
