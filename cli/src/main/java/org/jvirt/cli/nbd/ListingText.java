package org.jvirt.cli.nbd;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.images.nbd.ExportDetails;
import org.jvirt.images.nbd.Nbd;

/// Exports, as `qemu-nbd -L` prints them.
final class ListingText {
    private static final Map<Integer, String> FLAGS = flags();

    private ListingText() {}

    private static Map<Integer, String> flags() {
        var names = new LinkedHashMap<Integer, String>();
        names.put(Nbd.FLAG_READ_ONLY, "readonly");
        names.put(Nbd.FLAG_SEND_FLUSH, "flush");
        names.put(Nbd.FLAG_SEND_FUA, "fua");
        names.put(Nbd.FLAG_ROTATIONAL, "rotational");
        names.put(Nbd.FLAG_SEND_TRIM, "trim");
        names.put(Nbd.FLAG_SEND_WRITE_ZEROES, "zeroes");
        names.put(Nbd.FLAG_SEND_DF, "df");
        names.put(Nbd.FLAG_CAN_MULTI_CONN, "multi");
        names.put(Nbd.FLAG_SEND_RESIZE, "resize");
        names.put(Nbd.FLAG_SEND_CACHE, "cache");
        names.put(Nbd.FLAG_SEND_FAST_ZERO, "fast-zero");
        return names;
    }

    static void print(List<ExportDetails> exports, PrintWriter out) {
        out.println("exports available: " + exports.size());
        for (ExportDetails export : exports) {
            out.println(" export: '%s'".formatted(export.name()));
            if (!export.description().isEmpty()) {
                out.println("  description: " + export.description());
            }
            out.println("  size:  " + Long.toUnsignedString(export.sizeBytes()));
            var names = new StringBuilder();
            FLAGS.forEach((flag, name) -> names.append((export.flags() & flag) == 0 ? "" : name + " "));
            out.println("  flags: 0x%x ( %s)".formatted(export.flags(), names));
            out.println("  min block: " + Integer.toUnsignedString(export.minimumBytes()));
            out.println("  opt block: " + Integer.toUnsignedString(export.preferredBytes()));
            out.println("  max block: " + Integer.toUnsignedString(export.maximumBytes()));
            if (!export.contexts().isEmpty()) {
                out.println("  available meta contexts: " + export.contexts().size());
                export.contexts().forEach(context -> out.println("   " + context.name()));
            }
        }
        out.flush();
    }
}
