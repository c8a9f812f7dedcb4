package org.jvirt.cli.nbd;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageReference;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;

/// A disk to be served.
///
/// @param format   looked up where it is empty
/// @param snapshot whether writes go to memory only
/// @param load     an internal snapshot to be served instead of the disk as it is, by id or name
/// @param bitmaps  dirty bitmaps to be shown
/// @param depth    whether to show which layer has a block
record ExportOption(
        ImageReference image,
        String name,
        String description,
        Optional<ImageFormat> format,
        CacheMode cache,
        boolean discard,
        boolean readOnly,
        boolean snapshot,
        Optional<String> load,
        List<String> bitmaps,
        boolean depth) {
    private static final Pattern COLON = Pattern.compile(":");

    /// Reads `image=PATH[,name=NAME][,…]`.
    static ExportOption parse(String text) {
        var values = new KeyValues("--export", "image", text);
        var export = new ExportOption(
                ImageReference.of(values.takeRequired("image")),
                values.take("name").orElse(""),
                values.take("description").orElse(""),
                values.take("format").map(name -> DiskOption.format("--export", name)),
                values.take("cache")
                        .map(name -> DiskOption.cache("--export", name))
                        .orElse(CacheMode.WRITEBACK),
                discard("--export", values.take("discard").orElse("unmap")),
                values.takeSwitch("readonly", false),
                values.takeSwitch("snapshot", false),
                values.take("load-snapshot"),
                values.take("bitmap").map(names -> List.of(COLON.split(names))).orElse(List.of()),
                values.takeSwitch("allocation-depth", false));
        values.end(Set.of(
                "image",
                "name",
                "description",
                "format",
                "cache",
                "discard",
                "readonly",
                "snapshot",
                "load-snapshot",
                "bitmap",
                "allocation-depth"));
        return export;
    }

    static boolean discard(String option, String mode) {
        return switch (mode) {
            case "unmap", "on" -> true;
            case "ignore", "off" -> false;
            default ->
                throw new UserErrorException("%s: discard=%s is neither unmap nor ignore.".formatted(option, mode));
        };
    }
}
