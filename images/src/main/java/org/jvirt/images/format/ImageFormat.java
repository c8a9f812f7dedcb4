package org.jvirt.images.format;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How a disk is laid out in its file.
public enum ImageFormat {
    /// Byte for byte.
    RAW,
    QCOW2,
    /// Encrypted, version 1.
    LUKS,
    VMDK,
    VDI,
    /// VHD, as Virtual PC had it.
    VPC,
    VHDX,
    PARALLELS;

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
