package org.jvirt.cli.img;

import java.io.PrintWriter;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jvirt.images.format.ImageInfo;

/// Internal snapshots, one line each.
final class SnapshotTable {
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

    private SnapshotTable() {}

    static void print(PrintWriter out, List<ImageInfo.Snapshot> snapshots) {
        out.println("Snapshot list:");
        out.println("%-10s%-17s%8s%20s%13s%11s".formatted("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT"));
        for (ImageInfo.Snapshot each : snapshots) {
            long millis = each.vmClockNanos() / 1_000_000;
            String clock = String.format(
                    Locale.ROOT,
                    "%02d:%02d:%02d.%03d",
                    millis / 3_600_000,
                    millis / 60_000 % 60,
                    millis / 1000 % 60,
                    millis % 1000);
            out.println("%-9s %-16s %8s%20s%13s%11s"
                    .formatted(
                            each.id(),
                            each.name(),
                            SizeText.human(each.vmStateBytes()),
                            DATE.format(each.date().atZone(ZoneId.systemDefault())),
                            clock,
                            each.instructions().isPresent()
                                    ? Long.toString(each.instructions().getAsLong())
                                    : ""));
        }
    }
}
