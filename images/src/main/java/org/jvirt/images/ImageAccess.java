package org.jvirt.images;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.file.FileAccess;
import org.jvirt.images.file.HostFile;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.nbd.NbdFile;
import org.jvirt.images.nbd.NbdTarget;
import org.jvirt.images.nbd.NbdUri;

/// The way to images: with these keys, in this cache mode. Immutable, thread-safe.
///
/// **Formats that nobody has stated** are probed, as QEMU does: an image without any format's mark is raw, and
/// stays so: what a guest writes to its first bytes is refused where it would look like another format the next
/// time. State
/// the format of images that guests have written to.
///
/// @param shared whether images are read though others may be writing to them (`--force-share`)
public record ImageAccess(Secrets secrets, CacheMode cache, boolean shared, NetworkAccess network) {
    /// Without keys, through the host's page cache, locked.
    public ImageAccess() {
        this(Secrets.none(), CacheMode.WRITEBACK, false, NetworkAccess.none());
    }

    public ImageAccess withSecrets(Secrets keys) {
        return new ImageAccess(keys, cache, shared, network);
    }

    public ImageAccess withCache(CacheMode mode) {
        return new ImageAccess(secrets, mode, shared, network);
    }

    public ImageAccess sharedWithWriters() {
        return new ImageAccess(secrets, cache, true, network);
    }

    public ImageAccess withNetwork(NetworkAccess reach) {
        return new ImageAccess(secrets, cache, shared, reach);
    }

    /// Opens an image with the layers below it, and locks their files.
    ///
    /// @param format as the user states it; what `reference` states goes first, and what neither states is probed
    /// @throws UserErrorException if it cannot be opened, or is not soundly of its format
    public DiskImage open(ImageReference reference, Optional<ImageFormat> format, ImageOpening opening) {
        return new NodeOpener(this, Chain.start()).open(reference, format, opening);
    }

    /// Makes an empty image; a file of this name is overwritten.
    ///
    /// @param options by the names that [org.jvirt.images.format.FormatDriver#createOptions] lists
    /// @throws UserErrorException if it cannot be made
    public void create(ImageFormat format, String name, long sizeBytes, Map<String, String> options) {
        try (ImageFile file = created(name)) {
            DiskImages.driver(format).create(file, request(sizeBytes, options));
        } catch (IOException e) {
            throw new UserErrorException("Cannot create %s: %s".formatted(name, e.getMessage()), e);
        }
    }

    /// What [org.jvirt.images.format.FormatDriver#measure] wants to know besides the sizes.
    public CreateRequest request(long sizeBytes, Map<String, String> options) {
        return new CreateRequest(sizeBytes, options, opener());
    }

    /// What [DiskImage#amend] needs to find keys and files.
    public ImageOpener opener() {
        return new ChainOpener(this, Chain.start(), Optional.empty(), ImageOpening.reading());
    }

    /// A new or emptied file; a served disk is written over.
    private ImageFile created(String name) {
        if (!NbdUri.is(name)) {
            return HostFile.create(path(name), cache);
        }
        NbdTarget target = NbdTarget.of(name, NbdUri.options(name), network::named);
        return NbdFile.open(target, false, cache);
    }

    /// The file that a name names.
    private static Path path(String name) {
        return ImageReference.of(name)
                .fileName()
                .map(Path::of)
                .orElseThrow(() -> new UserErrorException("Cannot create %s: give the name of a file".formatted(name)));
    }

    FileAccess fileAccess(boolean readOnly) {
        return new FileAccess(readOnly, cache, shared && readOnly);
    }
}
