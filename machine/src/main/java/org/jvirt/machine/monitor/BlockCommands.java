package org.jvirt.machine.monitor;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.live.DiskLimit;
import org.jvirt.images.live.DiskLimits;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.machine.DiscDrive;
import org.jvirt.machine.VirtualMachine;

/// The monitor's commands about disks. Not thread-safe.
final class BlockCommands {
    private final VirtualMachine vm;

    BlockCommands(VirtualMachine vm) {
        this.vm = vm;
    }

    /// `info block [-v] [DEVICE]`
    String info(List<String> arguments) {
        var text = new StringBuilder();
        List<String> names =
                arguments.stream().filter(word -> !word.equals("-v")).toList();
        for (LiveDisk disk : vm.disks()) {
            if (names.isEmpty() || names.contains(disk.id())) {
                describe(disk, text);
            }
        }
        for (DiscDrive drive : vm.discDrives()) {
            if (names.contains(drive.id()) || names.isEmpty()) {
                drive.disc()
                        .ifPresentOrElse(
                                disc -> describe(disc, text),
                                () -> text.append(drive.id()).append(": [not inserted]\n"));
            }
        }
        names.stream().filter(name -> drive(name).isEmpty()).forEach(vm::disk);
        return text.toString();
    }

    private static void describe(LiveDisk disk, StringBuilder text) {
        Optional<DiskImage> image = disk.image();
        String format = image.map(top -> top.format().formatName()).orElse("memory overlay");
        text.append("%s: %s (%s%s)\n".formatted(disk.id(), disk.name(), format, disk.readOnly() ? ", read-only" : ""));
        text.append("    Size:             %d bytes\n".formatted(disk.sizeBytes()));
        text.append("    Cache mode:       %s\n"
                .formatted(disk.settings().access().cache().modeName()));
        image.flatMap(DiskImage::backing)
                .ifPresent(below -> text.append(
                        "    Backing file:     %s (chain depth: %d)\n".formatted(below.name(), depth(below))));
        ErrorPolicy errors = disk.errors();
        text.append("    On errors:        rerror=%s werror=%s\n"
                .formatted(errors.reads().actionName(), errors.writes().actionName()));
        if (disk.throttle().limits().limits()) {
            text.append("    I/O throttling:   %s\n".formatted(limits(disk)));
        }
        disk.failure()
                .ifPresent(failure -> text.append("    I/O status:       %s: %s\n"
                        .formatted(ErrorPolicy.outOfSpace(failure) ? "nospace" : "failed", failure.getMessage())));
    }

    private static int depth(DiskImage image) {
        int depth = 1;
        for (Optional<DiskImage> below = image.backing();
                below.isPresent();
                below = below.get().backing()) {
            depth++;
        }
        return depth;
    }

    private static String limits(LiveDisk disk) {
        DiskLimits limits = disk.throttle().limits();
        var text = new StringBuilder("bps=%d bps_rd=%d bps_wr=%d iops=%d iops_rd=%d iops_wr=%d"
                .formatted(
                        limits.bytes().perSecond(),
                        limits.bytesRead().perSecond(),
                        limits.bytesWritten().perSecond(),
                        limits.requests().perSecond(),
                        limits.readRequests().perSecond(),
                        limits.writeRequests().perSecond()));
        burst(text, "bps", limits.bytes());
        burst(text, "bps_rd", limits.bytesRead());
        burst(text, "bps_wr", limits.bytesWritten());
        burst(text, "iops", limits.requests());
        burst(text, "iops_rd", limits.readRequests());
        burst(text, "iops_wr", limits.writeRequests());
        if (limits.requestBytes() > 0) {
            text.append(" iops_size=").append(limits.requestBytes());
        }
        disk.settings().group().ifPresent(name -> text.append(" group=").append(name));
        return text.toString();
    }

    private static void burst(StringBuilder text, String name, DiskLimit limit) {
        if (limit.burst() > 0) {
            text.append(" %s_max=%d %s_max_length=%d".formatted(name, limit.burst(), name, limit.burstSeconds()));
        }
    }

    /// `block_set_io_throttle DEVICE BPS BPS_RD BPS_WR IOPS IOPS_RD IOPS_WR`
    String throttle(List<String> arguments) {
        if (arguments.size() != 7) {
            return "Error: give a device and six numbers: bps bps_rd bps_wr iops iops_rd iops_wr, 0 for no limit\n";
        }
        long[] values =
                arguments.stream().skip(1).mapToLong(word -> size(word, 0)).toArray();
        DiskLimits limits = DiskLimits.averages(values[0], values[1], values[2], values[3], values[4], values[5]);
        String name = arguments.getFirst();
        drive(name)
                .ifPresentOrElse(
                        drive -> drive.limit(limits),
                        () -> vm.disk(name).throttle().limit(limits));
        return "";
    }

    private Optional<DiscDrive> drive(String id) {
        return vm.discDrives().stream().filter(drive -> drive.id().equals(id)).findFirst();
    }

    /// A number with a unit; without one, in bytes shifted by `defaultShift`.
    static long size(String word, int defaultShift) {
        String lower = word.toLowerCase(Locale.ROOT);
        int unit = lower.isEmpty() ? -1 : "bkmgtp".indexOf(lower.charAt(lower.length() - 1));
        String digits = unit < 0 ? lower : lower.substring(0, lower.length() - 1);
        try {
            long number = Long.parseLong(digits);
            int shift = unit < 0 ? defaultShift : 10 * unit;
            if (number >= 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "'%s' is no size: write a number, or one with K, M, G or T".formatted(word), e);
        }
        throw new IllegalArgumentException("'%s' is out of range: give a size from 0 to 8 EiB".formatted(word));
    }
}
