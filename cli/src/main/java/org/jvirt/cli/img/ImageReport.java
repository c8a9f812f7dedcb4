package org.jvirt.cli.img;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageInfo;

/// What `info` says of one layer.
record ImageReport(String name, String format, ImageInfo info) {
    static ImageReport of(DiskImage image, String name) throws IOException {
        return new ImageReport(name, image.format().formatName(), image.info());
    }

    Optional<String> fullBackingName() {
        return info.backingReference().map(reference -> InfoCommand.beside(name, reference));
    }

    Map<String, Object> tree() {
        var tree = new LinkedHashMap<String, Object>();
        if (!info.snapshots().isEmpty()) {
            tree.put(
                    "snapshots",
                    info.snapshots().stream().map(ImageReport::tree).toList());
        }
        tree.put("virtual-size", info.virtualSizeBytes());
        tree.put("filename", name);
        info.clusterBytes().ifPresent(bytes -> tree.put("cluster-size", bytes));
        tree.put("format", format);
        tree.put("actual-size", info.actualSizeBytes());
        if (info.encrypted()) {
            tree.put("encrypted", true);
        }
        if (info.compressed()) {
            tree.put("compressed", true);
        }
        if (!info.specific().isEmpty()) {
            tree.put("format-specific", Map.of("type", format, "data", info.specific()));
        }
        fullBackingName().ifPresent(full -> tree.put("full-backing-filename", full));
        info.backingReference().ifPresent(reference -> tree.put("backing-filename", reference));
        info.backingFormat().ifPresent(below -> tree.put("backing-filename-format", below));
        tree.put("dirty-flag", info.dirty());
        return tree;
    }

    private static Map<String, Object> tree(ImageInfo.Snapshot snapshot) {
        var tree = new LinkedHashMap<String, Object>();
        snapshot.instructions().ifPresent(count -> tree.put("icount", count));
        tree.put("vm-clock-nsec", snapshot.vmClockNanos() % 1_000_000_000);
        tree.put("name", snapshot.name());
        Instant date = snapshot.date();
        long dateSeconds = date.getEpochSecond();
        tree.put("date-sec", dateSeconds);
        tree.put(
                "date-nsec",
                Duration.between(Instant.ofEpochSecond(dateSeconds), date).toNanos());
        tree.put("vm-clock-sec", snapshot.vmClockNanos() / 1_000_000_000);
        tree.put("id", snapshot.id());
        tree.put("vm-state-size", snapshot.vmStateBytes());
        return tree;
    }

    void print(PrintWriter out) {
        out.println("image: " + name);
        out.println("file format: " + format);
        out.println("virtual size: %s (%d bytes)"
                .formatted(SizeText.human(info.virtualSizeBytes()), info.virtualSizeBytes()));
        out.println("disk size: " + SizeText.human(info.actualSizeBytes()));
        if (info.encrypted()) {
            out.println("encrypted: yes");
        }
        info.clusterBytes().ifPresent(bytes -> out.println("cluster_size: " + bytes));
        if (info.dirty()) {
            out.println("cleanly shut down: no");
        }
        info.backingReference().ifPresent(reference -> {
            String full = fullBackingName().orElse(reference);
            out.println("backing file: "
                    + reference
                    + (full.equals(reference) ? "" : " (actual path: %s)".formatted(full)));
        });
        info.backingFormat().ifPresent(below -> out.println("backing file format: " + below));
        if (!info.snapshots().isEmpty()) {
            SnapshotTable.print(out, info.snapshots());
        }
        if (!info.specific().isEmpty()) {
            out.println("Format specific information:");
            printMembers(out, info.specific(), "    ");
        }
    }

    private static void printMembers(PrintWriter out, Map<?, ?> members, String indent) {
        members.forEach((key, value) -> printMember(out, key.toString().replace('-', ' '), value, indent));
    }

    private static void printMember(PrintWriter out, String key, Object value, String indent) {
        switch (value) {
            case Map<?, ?> map -> {
                out.println(indent + key + ":");
                printMembers(out, map, indent + "    ");
            }
            case List<?> list -> {
                out.println(indent + key + ":");
                for (int i = 0; i < list.size(); i++) {
                    printMember(out, "[%d]".formatted(i), list.get(i), indent + "    ");
                }
            }
            default -> out.println(indent + key + ": " + value);
        }
    }
}
