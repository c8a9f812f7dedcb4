package org.jvirt.cli.launch;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;

/// A disk image, and how it is opened.
///
/// @param format looked up where it is empty; a raw image stays raw then, whatever a guest writes to it
/// @param serial what the guest reads as the disk's serial number
/// @param live   how it behaves while the machine runs
public record DiskOption(
        Path file,
        Optional<ImageFormat> format,
        CacheMode cache,
        boolean readOnly,
        boolean snapshot,
        Optional<String> serial,
        LiveSettings live) {
    /// Of any format, through the host's page cache.
    public DiskOption(Path file, boolean readOnly, boolean snapshot, Optional<String> serial) {
        this(file, Optional.empty(), CacheMode.WRITEBACK, readOnly, snapshot, serial, LiveSettings.DEFAULT);
    }

    /// Reads the value of `jvirt run --disk`.
    public static DiskOption parse(String text) {
        if (!text.contains("=")) {
            return new DiskOption(Path.of(text), false, false, Optional.empty());
        }
        return of(new KeyValues("--disk", "", text));
    }

    /// Reads what is left of it, once others have taken theirs.
    static DiskOption of(KeyValues values) {
        var disk = new DiskOption(
                Path.of(values.takeRequired("file")),
                values.take("format").map(name -> format("--disk", name)),
                values.take("cache").map(name -> cache("--disk", name)).orElse(CacheMode.WRITEBACK),
                values.takeSwitch("readonly", false),
                values.takeSwitch("snapshot", false),
                values.take("serial"),
                LiveOptions.take("--disk", values));
        var known = new HashSet<>(
                Set.of("file", "readonly", "snapshot", "serial", "if", "media", "format", "cache", "unit", "queues"));
        known.addAll(LiveOptions.KEYS);
        values.end(known);
        return disk;
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
        return new DiskOption(file, format, cache, readOnly, snapshot, number, live);
    }
}
