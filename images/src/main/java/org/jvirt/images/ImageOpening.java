package org.jvirt.images;

/// What an image is opened for.
///
/// @param withBacking whether the layers below are opened too; without, what they hold reads as zeroes
/// @param forCheck    whether an image with broken metadata is opened as far as possible
public record ImageOpening(boolean readOnly, boolean withBacking, boolean forCheck) {
    public static ImageOpening reading() {
        return new ImageOpening(true, true, false);
    }

    public static ImageOpening writing() {
        return new ImageOpening(false, true, false);
    }

    public ImageOpening withoutBacking() {
        return new ImageOpening(readOnly, false, forCheck);
    }

    public ImageOpening checking() {
        return new ImageOpening(readOnly, withBacking, true);
    }
}
