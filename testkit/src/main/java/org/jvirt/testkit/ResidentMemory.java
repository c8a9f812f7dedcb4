package org.jvirt.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a process has of the host's memory, by what is mapped: every mapping's resident pages, shared ones too.
///
/// @param kibibytes by the name of the mapped file, empty for memory without one
public record ResidentMemory(Map<String, Long> kibibytes) {
    private static final Pattern MAPPING = Pattern.compile("[0-9a-f]+-[0-9a-f]+ \\S+ \\S+ \\S+ \\S+ *(.*)");
    private static final Pattern RSS = Pattern.compile("Rss: +(\\d+) kB");

    public static ResidentMemory of(long process) throws IOException {
        return of(Files.readAllLines(Path.of("/proc", Long.toString(process), "smaps")));
    }

    private static ResidentMemory of(List<String> smaps) {
        var found = new HashMap<String, Long>();
        String name = "";
        for (String line : smaps) {
            Matcher mapping = MAPPING.matcher(line);
            Matcher rss = RSS.matcher(line);
            if (mapping.matches()) {
                name = mapping.group(1);
            } else if (rss.matches()) {
                found.merge(name, Long.parseLong(rss.group(1)), Long::sum);
            }
        }
        return new ResidentMemory(Map.copyOf(found));
    }

    /// The pages of all mappings of one file in MiB: those of guest RAM, where it is a file of its own.
    public double mebibytes(String file) {
        return kibibytes.getOrDefault(file, 0L) / 1024.0;
    }

    /// All other memory in MiB.
    public double mebibytesBeside(String file) {
        return kibibytes.values().stream().mapToLong(Long::longValue).sum() / 1024.0 - mebibytes(file);
    }

    /// The file that a guest's RAM is, by the machine's name.
    public static String ramOf(String machine) {
        return "/memfd:%s (deleted)".formatted(machine);
    }
}
