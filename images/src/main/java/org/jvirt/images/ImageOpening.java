package org.jvirt.images;

/// What an image is opened for.
///
/// @param withBacking whether the layers below are opened too; without, what they hold reads as zeroes
/// @param forCheck    whether an image with broken metadata is opened as far as possible
/// @param forInfo     whether only its metadata is wanted: a file of data that it names is not opened
public record ImageOpening(boolean readOnly, boolean withBacking, boolean forCheck, boolean forInfo) {
    public static ImageOpening reading() {
        return new ImageOpening(true, true, false, false);
    }

    public static ImageOpening writing() {
        return new ImageOpening(false, true, false, false);
    }

    public ImageOpening withoutBacking() {
        return new ImageOpening(readOnly, false, forCheck, forInfo);
    }

    public ImageOpening checking() {
        return new ImageOpening(readOnly, withBacking, true, forInfo);
    }

    /// For a look at the metadata, which is all that can be had of it.
    public static ImageOpening looking() {
        return new ImageOpening(true, true, false, true);
    }
}
