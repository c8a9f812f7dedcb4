package org.jvirt.images;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.HostFile;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.nbd.NbdFile;
import org.jvirt.images.nbd.NbdTarget;
import org.jvirt.images.nbd.NbdUri;
import org.jvirt.images.raw.RawDriver;

/// Opens an image by its tree of options: a file at the bottom, formats above it, each as QEMU's block nodes are
/// named.
///
/// @param chain what is open above
record NodeOpener(ImageAccess access, Chain chain) {
    private static final String NBD = "nbd";
    /// What stands at the bottom.
    private static final Set<String> PROTOCOLS = Set.of("file", "host_device", NBD);
    /// What says nothing about content.
    private static final Set<String> WITHOUT_CONSEQUENCE = Set.of(
            "node-name",
            "discard",
            "detect-zeroes",
            "auto-read-only",
            "cache.direct",
            "cache.no-flush",
            "aio",
            "locking");

    DiskImage open(ImageReference reference, Optional<ImageFormat> format, ImageOpening opening) {
        try {
            return node(reference.text(), new LinkedHashMap<>(reference.options()), format, opening);
        } catch (IOException e) {
            throw new UserErrorException("Cannot open disk %s: %s".formatted(reference.text(), e.getMessage()), e);
        }
    }

    private DiskImage node(String text, Map<String, String> options, Optional<ImageFormat> stated, ImageOpening opening)
            throws IOException {
        options.keySet().removeAll(WITHOUT_CONSEQUENCE);
        boolean readOnly = "on".equals(options.remove("read-only")) || opening.readOnly();
        boolean shared = "on".equals(options.remove("force-share"));
        NodeOpener opener = shared ? new NodeOpener(access.sharedWithWriters(), chain) : this;
        return opener.formatNode(
                text,
                options,
                stated,
                new ImageOpening(readOnly, opening.withBacking(), opening.forCheck(), opening.forInfo()));
    }

    private DiskImage formatNode(
            String text, Map<String, String> options, Optional<ImageFormat> stated, ImageOpening opening)
            throws IOException {
        String driver = options.remove("driver");
        if (driver != null && PROTOCOLS.contains(driver)) {
            ImageFile bottom = protocol(text, driver, options, opening.readOnly());
            return openImage(bottom, options, Optional.of(ImageFormat.RAW), opening);
        }
        Optional<ImageFormat> format = driver == null ? stated : Optional.of(format(text, driver));
        Map<String, String> below = take(options, "file.");
        String belowName = below.get("filename");
        if (belowName != null && !below.containsKey("driver") && NbdUri.is(belowName)) {
            below = new LinkedHashMap<>(NbdUri.options(belowName));
            below.put("driver", NBD);
        }
        NodeOpener above =
                new ImageReference(text, below).network() ? new NodeOpener(access, chain.overNetwork()) : this;
        ImageFile file;
        if (below.isEmpty()) {
            file = file(text, options, opening.readOnly());
        } else if (!PROTOCOLS.contains(below.getOrDefault("driver", "file"))) {
            file = new NestedFile(node(text, below, Optional.empty(), opening));
        } else {
            String driverBelow = below.remove("driver");
            file = protocol(text, driverBelow == null ? "file" : driverBelow, below, opening.readOnly());
        }
        return above.openImage(file, options, format, opening);
    }

    private Chain deeper(ImageFile file) throws IOException {
        return switch (file) {
            case HostFile host -> chain.with(host.identity(), file.name());
            case NbdFile served -> chain.with(served.identity(), file.name()).overNetwork();
            default -> chain;
        };
    }

    private static ImageFormat format(String text, String driver) {
        return ImageFormat.named(driver)
                .orElseThrow(() -> new UserErrorException("Cannot open disk %s: format '%s' is none of %s"
                        .formatted(text, driver, String.join(", ", ImageFormat.names()))));
    }

    /// Takes what is below a prefix out of the options.
    private static Map<String, String> take(Map<String, String> options, String prefix) {
        var taken = new LinkedHashMap<String, String>();
        options.entrySet().removeIf(entry -> {
            if (!entry.getKey().startsWith(prefix)) {
                return false;
            }
            taken.put(entry.getKey().substring(prefix.length()), entry.getValue());
            return true;
        });
        return taken;
    }

    private ImageFile protocol(String text, String driver, Map<String, String> options, boolean readOnly) {
        if (!driver.equals(NBD)) {
            return file(text, options, readOnly);
        }
        options.keySet().removeAll(WITHOUT_CONSEQUENCE);
        NbdTarget target = NbdTarget.of(text, options, access.network()::named);
        if (!options.isEmpty()) {
            throw new UserErrorException("Cannot open disk %s: driver nbd has no option '%s'"
                    .formatted(text, options.keySet().iterator().next()));
        }
        return NbdFile.open(target, readOnly, access.cache());
    }

    private HostFile file(String text, Map<String, String> options, boolean readOnly) {
        options.keySet().removeAll(WITHOUT_CONSEQUENCE);
        String name = options.remove("filename");
        if (name == null) {
            throw new UserErrorException("Cannot open disk %s: file.filename is missing".formatted(text));
        }
        return HostFile.open(Path.of(name), access.fileAccess(readOnly));
    }

    private DiskImage openImage(
            ImageFile file, Map<String, String> options, Optional<ImageFormat> stated, ImageOpening opening)
            throws IOException {
        OpenRequest request;
        ImageFormat format;
        try {
            var remaining = new LinkedHashMap<>(options);
            Map<String, String> backing = take(remaining, "backing.");
            @Nullable String backingName = remaining.remove("backing");
            boolean withBacking = opening.withBacking() && (backingName == null || !backingName.isEmpty());
            Chain deeper = deeper(file);
            Optional<ImageReference> override =
                    backing.isEmpty() ? Optional.empty() : Optional.of(new ImageReference("backing", backing));
            request = new OpenRequest(
                    opening.readOnly(),
                    withBacking,
                    opening.forCheck(),
                    opening.forInfo(),
                    remaining,
                    new ChainOpener(
                            access,
                            deeper,
                            override,
                            opening.forInfo() ? ImageOpening.looking() : ImageOpening.reading()));
            format = stated.isPresent() ? stated.get() : DiskImages.probe(file);
        } catch (IOException | RuntimeException e) {
            try {
                file.close();
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
        if (stated.isEmpty() && format == ImageFormat.RAW) {
            String name = file.name();
            long size = file.sizeBytes();
            return new RawDriver().openProbed(file, head -> DiskImages.probe(head, name, size) != ImageFormat.RAW);
        }
        return DiskImages.driver(format).open(file, request);
    }
}
