package org.jvirt.cli.img;

import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.ImageBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `jvirt img bench`.
@Command(name = "bench", exitCodeOnInvalidInput = 1, description = "Sends plain requests and tells how long they took.")
final class BenchCommand extends ImgAction {
    private static final double NANOS_PER_SECOND = 1e9;

    @Mixin
    private final SourceOptions source = new SourceOptions();

    @Option(names = "-c", paramLabel = "N", defaultValue = "75000", description = "Requests (${DEFAULT-VALUE}).")
    private long count;

    @Option(names = "-d", paramLabel = "N", defaultValue = "64", description = "Requests at once (${DEFAULT-VALUE}).")
    private int depth;

    @Option(names = "-s", paramLabel = "BYTES", defaultValue = "4k", description = "Bytes of one (${DEFAULT-VALUE}).")
    private String bytes = "";

    @Option(names = "-S", paramLabel = "BYTES", description = "From one to the next; as long as one is, if missing.")
    private @Nullable String step;

    @Option(names = "-o", paramLabel = "OFFSET", defaultValue = "0", description = "Where to begin.")
    private String offset = "";

    @Option(names = "-w", description = "Write.")
    private boolean write;

    @Option(names = "--pattern", paramLabel = "BYTE", defaultValue = "0", description = "What to write.")
    private int pattern;

    @Option(
            names = "--flush-interval",
            paramLabel = "N",
            defaultValue = "0",
            description = "Flush after so many writes.")
    private long flushInterval;

    @Option(names = "--no-drain", description = "Do not wait before a flush; it never does here.")
    private boolean noDrain;

    @Option(
            names = {"-i", "-n"},
            arity = "0..1",
            hidden = true,
            description = "How the host does I/O; there is one way here.")
    @SuppressWarnings("UnusedVariable") // accepted, and there is nothing to choose
    private @Nullable String hostIo;

    @Option(names = "-t", paramLabel = "CACHE", defaultValue = "writeback", description = "Cache mode.")
    private String cache = "";

    @Parameters(paramLabel = "FILE", description = "The image.")
    private String name = "";

    @Override
    int perform() throws IOException {
        long size = SizeText.parse("-s", bytes);
        if (size < 1 || size > 1 << 30 || depth < 1 || count < 0 || flushInterval < 0) {
            throw new UserErrorException("-s is at most 1 GiB, -c and --flush-interval not negative, -d at least 1");
        }
        if (!write && (flushInterval > 0 || noDrain)) {
            throw new UserErrorException("--flush-interval and --no-drain need -w");
        }
        long stepBytes = step == null ? size : Math.max(1, SizeText.parse("-S", step));
        long start = SizeText.parse("-o", offset);
        var bench = new ImageBench(count, depth, (int) size, start, stepBytes, write, (byte) pattern, flushInterval);
        ImageOpening opening = write ? ImageOpening.writing() : ImageOpening.reading();
        try (DiskImage image = source.open(access().withCache(cache("-t", cache)), name, opening)) {
            if (start + size > image.sizeBytes()) {
                throw new UserErrorException(
                        "-o: a request at %d would end behind the disk's %d bytes".formatted(start, image.sizeBytes()));
            }
            say("Sending %d %s requests, %d bytes each, %d in parallel (starting at offset %d, step size %d)"
                    .formatted(count, write ? "write" : "read", size, depth, start, stepBytes));
            say(String.format(
                    Locale.ROOT, "Run completed in %3.3f seconds.", bench.runNanos(image) / NANOS_PER_SECOND));
        }
        return 0;
    }
}
