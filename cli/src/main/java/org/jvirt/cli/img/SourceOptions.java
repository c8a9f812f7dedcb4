package org.jvirt.cli.img;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.NbdUri;
import picocli.CommandLine.Option;

/// How the image that a verb is about is opened.
public final class SourceOptions {
    @Option(names = "-f", paramLabel = "FORMAT", description = "Its format; looked up where missing.")
    private @Nullable String format;

    @Option(names = "--image-opts", description = "The name is a list of options: driver=qcow2,file.filename=PATH.")
    private boolean imageOptions;

    @Option(
            names = {"-U", "--force-share"},
            description = "Open it though others may write to it; what is read may be torn.")
    private boolean forceShare;

    Optional<ImageFormat> format() {
        if (format != null && imageOptions) {
            throw new UserErrorException("-f: write driver=%s in the image's options instead".formatted(format));
        }
        return Optional.ofNullable(format).map(name -> ImgAction.format("-f", name));
    }

    ImageReference reference(String name) {
        return reference(name, imageOptions);
    }

    /// Whether a name is just that, and no list of options.
    boolean isPlain(String name) {
        return !imageOptions && !name.startsWith("json:") && !name.startsWith("file:") && !NbdUri.is(name);
    }

    /// @param imageOptions whether the name is a list of options
    public static ImageReference reference(String name, boolean imageOptions) {
        return imageOptions
                ? new ImageReference(name, FormatOptions.parse(List.of(name)).values())
                : ImageReference.of(name);
    }

    ImageAccess access(ImageAccess access) {
        return forceShare ? access.sharedWithWriters() : access;
    }

    DiskImage open(ImageAccess access, String name, ImageOpening opening) {
        return access(access).open(reference(name), format(), opening);
    }
}
