package org.jvirt.images;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How a disk is laid out in its file.
public enum ImageFormat {
    /// Byte for byte.
    RAW;

    /// As on a command line: `raw`.
    public String formatName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<ImageFormat> named(String formatName) {
        return Arrays.stream(values())
                .filter(format -> format.formatName().equals(formatName))
                .findFirst();
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(ImageFormat::formatName).toList();
    }
}
