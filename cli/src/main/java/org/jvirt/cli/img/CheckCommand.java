package org.jvirt.cli.img;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Repair;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img check`. Exit codes: 0 sound, 1 not checked, 2 errors, 3 leaked clusters only, 63 nothing to check.
@Command(
        name = "check",
        exitCodeOnInvalidInput = 1,
        description = "Looks for errors in an image's tables. Exit codes: 2 errors, 3 only wasted space.")
final class CheckCommand extends ImgAction {
    private static final int ERRORS = 2;
    private static final int LEAKS = 3;
    private static final int NOT_SUPPORTED = 63;

    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-r", paramLabel = "leaks|all", description = "Repair wasted space, or all that can be repaired.")
    private @Nullable String repair;

    @Option(names = "-T", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode.")
    private String cache = "";

    @Option(names = "--output", paramLabel = "human|json", defaultValue = "human", description = "How to print.")
    private String output = "";

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        boolean json = isJson(output);
        Repair wanted = repair();
        ImageOpening opening = new ImageOpening(wanted == Repair.NONE, false, true, false);
        try (DiskImage image = source.open(access().withCache(cache("-T", cache)), name, opening)) {
            Optional<CheckReport> checked = check(image, wanted);
            if (checked.isEmpty()) {
                fail("%s images have nothing that could be checked"
                        .formatted(image.format().formatName()));
                return NOT_SUPPORTED;
            }
            CheckReport report = checked.get();
            report.messages().forEach(message -> err().println(message));
            err().flush();
            boolean repaired = report.leaksFixed() > 0 || report.corruptionsFixed() > 0;
            if (repaired) {
                if (!json && !quiet()) {
                    printRepaired(out(), report);
                }
                report = check(image, Repair.NONE).orElseThrow();
            }
            if (json) {
                out().println(JsonText.of(tree(image, report, checked.get())));
            } else if (!quiet()) {
                print(out(), report);
            }
            return exitCode(report);
        }
    }

    private static Optional<CheckReport> check(DiskImage image, Repair repair) throws IOException {
        return switch (image.format()) {
            case RAW, LUKS, VPC -> Optional.empty();
            case QCOW2, VMDK, VDI, VHDX, PARALLELS -> Optional.of(image.check(repair));
        };
    }

    private Repair repair() {
        return switch (repair) {
            case null -> Repair.NONE;
            case "leaks" -> Repair.LEAKS;
            case "all" -> Repair.ALL;
            default -> throw new UserErrorException("-r: '%s' is neither leaks nor all".formatted(repair));
        };
    }

    private static int exitCode(CheckReport report) {
        if (report.checkErrors() > 0) {
            return 1;
        }
        if (report.corruptions() > 0) {
            return ERRORS;
        }
        return report.leaks() > 0 ? LEAKS : 0;
    }

    private Map<String, Object> tree(DiskImage image, CheckReport report, CheckReport first) {
        var tree = new LinkedHashMap<String, Object>();
        putPositive(tree, "image-end-offset", report.imageEndOffset());
        putPositive(tree, "total-clusters", report.totalClusters());
        tree.put("check-errors", report.checkErrors());
        putPositive(tree, "corruptions", report.corruptions());
        putPositive(tree, "leaks", report.leaks());
        putPositive(tree, "corruptions-fixed", first.corruptionsFixed());
        putPositive(tree, "leaks-fixed", first.leaksFixed());
        putPositive(tree, "allocated-clusters", report.allocatedClusters());
        putPositive(tree, "fragmented-clusters", report.fragmentedClusters());
        putPositive(tree, "compressed-clusters", report.compressedClusters());
        tree.put("filename", name);
        tree.put("format", image.format().formatName());
        return tree;
    }

    private static void putPositive(Map<String, Object> tree, String key, long value) {
        if (value > 0) {
            tree.put(key, value);
        }
    }

    private static void printRepaired(PrintWriter out, CheckReport report) {
        out.println("The following inconsistencies were found and repaired:");
        out.println();
        out.println("    %d leaked clusters".formatted(report.leaksFixed()));
        out.println("    %d corruptions".formatted(report.corruptionsFixed()));
        out.println();
        out.println("Double checking the fixed image now...");
    }

    private static void print(PrintWriter out, CheckReport report) {
        if (report.corruptions() == 0 && report.leaks() == 0 && report.checkErrors() == 0) {
            out.println("No errors were found on the image.");
        }
        if (report.corruptions() > 0) {
            out.println();
            out.println("%d errors were found on the image.".formatted(report.corruptions()));
            out.println("Data may be corrupted, or further writes to the image may corrupt it.");
        }
        if (report.leaks() > 0) {
            out.println();
            out.println("%d leaked clusters were found on the image.".formatted(report.leaks()));
            out.println("This means waste of disk space, but no harm to data.");
        }
        if (report.checkErrors() > 0) {
            out.println();
            out.println("%d internal errors have occurred during the check.".formatted(report.checkErrors()));
        }
        if (report.totalClusters() > 0 && report.allocatedClusters() > 0) {
            out.println(String.format(
                    Locale.ROOT,
                    "%d/%d = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed clusters",
                    report.allocatedClusters(),
                    report.totalClusters(),
                    100.0 * report.allocatedClusters() / report.totalClusters(),
                    100.0 * report.fragmentedClusters() / report.allocatedClusters(),
                    100.0 * report.compressedClusters() / report.allocatedClusters()));
        }
        if (report.imageEndOffset() > 0) {
            out.println("Image end offset: " + report.imageEndOffset());
        }
    }
}
