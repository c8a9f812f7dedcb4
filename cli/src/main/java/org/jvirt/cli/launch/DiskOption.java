package org.jvirt.cli.launch;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageReference;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.nbd.NbdUri;

/// A disk image, and how it is opened.
///
/// @param image  where it lies, and the names of the keys that open it
/// @param format looked up where it is empty; a raw image stays raw then, whatever a guest writes to it
/// @param serial what the guest reads as the disk's serial number
/// @param live   how it behaves while the machine runs
public record DiskOption(
        ImageReference image,
        Optional<ImageFormat> format,
        CacheMode cache,
        boolean readOnly,
        boolean snapshot,
        Optional<String> serial,
        LiveSettings live) {
    private static final List<String> KEYS = List.of("key-secret", "encrypt.key-secret");

    /// Of any format, through the host's page cache.
    public DiskOption(Path file, boolean readOnly, boolean snapshot, Optional<String> serial) {
        this(
                ImageReference.ofFile(file),
                Optional.empty(),
                CacheMode.WRITEBACK,
                readOnly,
                snapshot,
                serial,
                LiveSettings.DEFAULT);
    }

    /// Reads a name alone: of a file, or the URI of a served disk.
    public static DiskOption named(String name) {
        return new DiskOption(
                ImageReference.of(name),
                Optional.empty(),
                CacheMode.WRITEBACK,
                false,
                false,
                Optional.empty(),
                LiveSettings.DEFAULT);
    }

    /// Reads the value of `jvirt run --disk`.
    public static DiskOption parse(String text) {
        if (!text.contains("=") || NbdUri.is(text)) {
            return named(text);
        }
        return of(new KeyValues("--disk", "", text));
    }

    /// Reads what is left of it, once others have taken theirs.
    static DiskOption of(KeyValues values) {
        var disk = new DiskOption(
                withKeys(ImageReference.of(values.takeRequired("file")), values),
                values.take("format").map(name -> format("--disk", name)),
                values.take("cache").map(name -> cache("--disk", name)).orElse(CacheMode.WRITEBACK),
                values.takeSwitch("readonly", false),
                values.takeSwitch("snapshot", false),
                values.take("serial"),
                LiveOptions.take("--disk", values));
        var known = new HashSet<>(
                Set.of("file", "readonly", "snapshot", "serial", "if", "media", "format", "cache", "unit", "queues"));
        known.addAll(KEYS);
        known.addAll(LiveOptions.KEYS);
        values.end(known);
        return disk;
    }

    /// The image with the names of keys that an option gives: `key-secret` of LUKS, `encrypt.key-secret` of qcow2.
    public static ImageReference withKeys(ImageReference image, KeyValues values) {
        var options = new LinkedHashMap<>(image.options());
        // The format within an encrypted qcow2 image is what the image says.
        values.ignore(Set.of("encrypt.format"));
        for (String key : KEYS) {
            values.take(key).ifPresent(id -> options.put(key, id));
        }
        return new ImageReference(image.text(), options);
    }

    /// @param option for the message
    public static ImageFormat format(String option, String name) {
        return ImageFormat.named(name)
                .orElseThrow(() -> new UserErrorException("%s: format=%s is not supported; these are: %s."
                        .formatted(option, name, String.join(", ", ImageFormat.names()))));
    }

    /// @param option for the message
    public static CacheMode cache(String option, String name) {
        return CacheMode.named(name)
                .orElseThrow(() -> new UserErrorException(
                        "%s: cache=%s is not writeback, none, writethrough, directsync or unsafe."
                                .formatted(option, name)));
    }

    /// The same disk with a serial number.
    public DiskOption withSerial(Optional<String> number) {
        return new DiskOption(image, format, cache, readOnly, snapshot, number, live);
    }
}
