package org.jvirt.images;

import java.nio.file.Path;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.HostFile;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageOpener;

/// Opens what one image of a chain refers to. References in images lead to files of the host, as those of users do;
/// relative names start at the folder of the image that has them.
///
/// @param chain    up to this image
/// @param override what the user wants below instead of what the image says
/// @param opening  what layers below are opened for
record ChainOpener(ImageAccess access, Chain chain, Optional<ImageReference> override, ImageOpening opening)
        implements ImageOpener {
    @Override
    public DiskImage openBacking(ImageFile from, String reference, Optional<String> format) {
        NodeOpener opener = new NodeOpener(access, chain);
        if (override.isPresent()) {
            return opener.open(override.get(), Optional.empty(), opening);
        }
        ImageReference below = resolve(from, ImageReference.of(reference));
        if (below.network()) {
            allowed(from, reference);
        }
        Optional<ImageFormat> stated = format.filter(name -> !name.isEmpty()).map(name -> named(from, name));
        return opener.open(below, stated, opening);
    }

    private static ImageFormat named(ImageFile from, String format) {
        // QEMU names a whole device or file so where it means its bytes.
        if (format.equals("host_device") || format.equals("file")) {
            return ImageFormat.RAW;
        }
        return ImageFormat.named(format)
                .orElseThrow(() ->
                        new UserErrorException("Cannot open the backing file of %s: format '%s' is none of %s"
                                .formatted(from.name(), format, String.join(", ", ImageFormat.names()))));
    }

    /// What an image names is reached only where that was allowed: it may come from anybody.
    private void allowed(ImageFile from, String reference) {
        if (!access.network().byImages()) {
            throw new UserErrorException(
                    "Cannot open %s, which %s names: images may not lead from host to host; allow it with --allow-network-backing, or name it yourself with backing.…"
                            .formatted(reference, from.name()));
        }
    }

    private ImageReference resolve(ImageFile from, ImageReference reference) {
        return reference
                .fileName()
                .map(name -> ImageReference.ofFile(hostFile(from, name)))
                .orElse(reference);
    }

    private Path hostFile(ImageFile from, String name) {
        if (!chain.remote()) {
            return Path.of(from.name()).resolveSibling(name);
        }
        allowed(from, name);
        Path path = Path.of(name);
        if (!path.isAbsolute()) {
            throw new UserErrorException("Cannot open %s, which %s names: a served image has no folder to look in"
                    .formatted(name, from.name()));
        }
        return path;
    }

    private Path named(ImageFile from, ImageReference reference) {
        return hostFile(
                from,
                reference
                        .fileName()
                        .orElseThrow(() -> new UserErrorException("Cannot open %s, a part of %s: it is not a file"
                                .formatted(reference.text(), from.name()))));
    }

    @Override
    public ImageFile openFile(ImageFile from, String reference, boolean readOnly) {
        return HostFile.open(named(from, ImageReference.of(reference)), access.fileAccess(readOnly));
    }

    @Override
    public ImageFile createFile(ImageFile from, String reference) {
        return HostFile.create(named(from, ImageReference.of(reference)), access.cache());
    }

    @Override
    public byte[] secret(String id) {
        return access.secrets().get(id);
    }
}
