package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.tool.CopyOptions;
import org.jvirt.images.tool.CopySource;
import org.jvirt.images.tool.ImageCopy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img convert`.
@Command(name = "convert", exitCodeOnInvalidInput = 1, description = "Copies images into a new one of any format.")
final class ConvertCommand extends ImgAction {
    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-O", paramLabel = "FORMAT", defaultValue = "raw", description = "The new image's format.")
    private String targetFormat = "";

    @Option(
            names = "-o",
            paramLabel = "OPTIONS",
            description = "Of the new format: name=value,…; '-o help' lists them.")
    private List<String> options = new ArrayList<>();

    @Option(
            names = "-B",
            paramLabel = "FILE",
            description = "The image below the new one: only differences are copied.")
    private @Nullable String backing;

    @Option(names = "-F", paramLabel = "FORMAT", description = "The format of the image below.")
    private @Nullable String backingFormat;

    @Option(names = "-c", description = "Compress.")
    private boolean compress;

    @Option(names = "-l", paramLabel = "SNAPSHOT", description = "Copy an internal snapshot.")
    private @Nullable String snapshot;

    @Option(
            names = "-S",
            paramLabel = "BYTES",
            defaultValue = "4k",
            description = "The shortest run of zeroes that becomes a hole (${DEFAULT-VALUE}); 0 for no holes.")
    private String sparse = "";

    @Option(names = "-m", paramLabel = "N", defaultValue = "0", description = "Threads, 1 to 16.")
    private int threads;

    @Option(names = "-W", description = "Write in any order.")
    private boolean outOfOrder;

    @Option(names = "-n", description = "Write into an image that is there.")
    private boolean noCreate;

    @Option(names = "--target-is-zero", description = "With -n: the image reads as zeroes now.")
    private boolean targetIsZero;

    @Option(names = "--target-image-opts", description = "With -n: the target's name is a list of options.")
    private boolean targetImageOptions;

    @Option(names = "--bitmaps", description = "Copy persistent bitmaps too.")
    private boolean bitmaps;

    @Option(names = "--skip-broken-bitmaps", description = "Leave out bitmaps that have missed writes.")
    private boolean skipBrokenBitmaps;

    @Option(names = "--salvage", description = "Put zeroes for what cannot be read.")
    private boolean salvage;

    @Option(names = "-r", paramLabel = "RATE", defaultValue = "0", description = "Bytes in a second at most.")
    private String rate = "";

    @Option(names = "-t", paramLabel = "CACHE", defaultValue = "unsafe", description = "Cache mode of the target.")
    private String cache = "";

    @Option(names = "-T", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode of the sources.")
    private String sourceCache = "";

    @Option(names = "-p", description = "Show progress.")
    private boolean progress;

    @Option(names = "-C", description = "Let the host copy where it can; it is never asked to.")
    private boolean copyOffload;

    @Parameters(arity = "0..*", paramLabel = "FILE", description = "The images, and the new one.")
    private List<String> names = new ArrayList<>();

    @Override
    int perform() throws IOException {
        ImageFormat format = format("-O", targetFormat);
        FormatOptions given = FormatOptions.parse(options);
        List<CreateOption> known = DiskImages.driver(format).createOptions();
        if (given.help()) {
            FormatOptions.print(out(), "Supported %s options:".formatted(targetFormat), known);
            return 0;
        }
        check(format);
        Optional.ofNullable(backing).ifPresent(name -> given.values().put("backing_file", name));
        Optional.ofNullable(backingFormat).ifPresent(name -> given.values().put("backing_fmt", name));
        Optional<String> size = given.take("size");
        Map<String, String> checked = given.checked(targetFormat, known);
        List<DiskImage> opened = new ArrayList<>();
        try {
            ImageAccess reading = access().withCache(cache("-T", sourceCache));
            for (String name : names.subList(0, names.size() - 1)) {
                opened.add(source.open(reading, name, ImageOpening.reading()));
            }
            copy(format, opened, size, checked);
        } finally {
            for (DiskImage each : opened) {
                each.close();
            }
        }
        return 0;
    }

    private void check(ImageFormat format) {
        if (names.size() < 2) {
            throw new UserErrorException("Name an image and the new one");
        }
        if (threads < 0 || threads > 16) {
            throw new UserErrorException("-m: %d is not between 1 and 16".formatted(threads));
        }
        if ((targetImageOptions || targetIsZero) && !noCreate) {
            throw new UserErrorException("--target-image-opts and --target-is-zero need -n");
        }
        if (compress && format != ImageFormat.QCOW2 && format != ImageFormat.VMDK) {
            throw new UserErrorException("-c: %s images hold no compressed data; use qcow2".formatted(targetFormat));
        }
        if (names.size() > 2 && (snapshot != null || bitmaps)) {
            throw new UserErrorException("-l and --bitmaps take one image, not several");
        }
        if (skipBrokenBitmaps && !bitmaps) {
            throw new UserErrorException("--skip-broken-bitmaps needs --bitmaps");
        }
        if (copyOffload && (compress || snapshot != null)) {
            throw new UserErrorException("-C goes with neither -c nor -l");
        }
    }

    private void copy(ImageFormat format, List<DiskImage> images, Optional<String> size, Map<String, String> checked)
            throws IOException {
        CopySource from = snapshot == null ? CopySource.of(images) : SnapshotName.source(images.getFirst(), snapshot);
        String target = names.getLast();
        ImageAccess writing = access().withCache(cache("-t", cache));
        if (!noCreate) {
            String bytes = size.orElse(Long.toString(from.length()));
            var _ = CreateCommand.create(writing, format, target, Optional.of(bytes), checked, false);
        }
        try (DiskImage to = open(writing, format, target, checked)) {
            if (to.sizeBytes() < from.length()) {
                throw new UserErrorException("Cannot copy %d bytes into %s: it has %d; make it larger first"
                        .formatted(from.length(), target, to.sizeBytes()));
            }
            try (ProgressLine line = progress(progress)) {
                List<String> lost = new ImageCopy(from, to, copyOptions(to, target, checked)).run(line);
                line.complete();
                lost.forEach(message -> err().println(message));
            }
            if (bitmaps) {
                BitmapCopy.copyAll(images.getFirst(), to, skipBrokenBitmaps);
            }
            to.flush();
        }
    }

    private DiskImage open(ImageAccess access, ImageFormat format, String target, Map<String, String> checked) {
        if (targetImageOptions) {
            return access.open(SourceOptions.reference(target, true), Optional.empty(), ImageOpening.writing());
        }
        var options = new LinkedHashMap<>(ImageReference.of(target).options());
        for (String key : List.of("key-secret", "encrypt.key-secret")) {
            if (checked.containsKey(key)) {
                options.put(key, checked.get(key));
            }
        }
        return access.open(new ImageReference(target, options), Optional.of(format), ImageOpening.writing());
    }

    private CopyOptions copyOptions(DiskImage to, String target, Map<String, String> checked) throws IOException {
        long sparseBytes = SizeText.parse("-S", sparse);
        if (sparseBytes % 512 != 0 || sparseBytes > 1 << 20) {
            throw new UserErrorException("-S: %s is no multiple of 512 up to 1 MiB".formatted(sparse));
        }
        boolean below = checked.containsKey("backing_file");
        int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors() * 2;
        return new CopyOptions(
                compress,
                sparseBytes,
                !below && (noCreate ? targetIsZero : startsAsZeroes(to, target, checked)),
                below,
                count,
                outOfOrder,
                salvage,
                SizeText.parse("-r", rate));
    }

    private static boolean startsAsZeroes(DiskImage to, String target, Map<String, String> checked) throws IOException {
        if (to.format() == ImageFormat.LUKS) {
            return false;
        }
        boolean encrypted = to.info().encrypted();
        boolean prepared = !checked.getOrDefault("preallocation", "off").equals("off");
        return !(encrypted && prepared)
                && ImageReference.of(target).options().containsKey("filename")
                && Files.isRegularFile(
                        Path.of(ImageReference.of(target).options().get("filename")));
    }
}
