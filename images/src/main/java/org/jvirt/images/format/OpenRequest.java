package org.jvirt.images.format;

import java.util.Map;

/// How an image is to be opened.
///
/// @param readOnly    nothing is written, not even a mark that the image is in use
/// @param withBacking whether the layers below are opened too; without, what they hold reads as zeroes
/// @param forCheck    whether an image with broken metadata is to be opened as far as possible, for a check
/// @param forInfo     whether only metadata is wanted: an external file of data need not be opened
/// @param options     of the format, by QEMU's names (`lazy-refcounts`, `encrypt.key-secret`, `l2-cache-size`, …)
/// @param opener      opens other files that belong to the image
public record OpenRequest(
        boolean readOnly,
        boolean withBacking,
        boolean forCheck,
        boolean forInfo,
        Map<String, String> options,
        ImageOpener opener) {
    public OpenRequest {
        options = Map.copyOf(options);
    }

    /// With all that there is, not for its metadata only.
    public OpenRequest(
            boolean readOnly, boolean withBacking, boolean forCheck, Map<String, String> options, ImageOpener opener) {
        this(readOnly, withBacking, forCheck, false, options, opener);
    }
}
