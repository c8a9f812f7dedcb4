package org.jvirt.images.format;

import java.io.IOException;
import java.util.Optional;
import org.jvirt.images.file.ImageFile;

/// Opens what an image refers to. References are as images spell them: a file name, relative to the image's own
/// folder, a URI or `json:`; what they may lead to is for the opener to decide.
public interface ImageOpener {
    /// The layer below, read-only. A missing format is probed only where that is safe.
    ///
    /// @param format as the image or the user says it
    /// @throws org.jvirt.core.UserErrorException if it may not or cannot be opened, or is in the chain already
    DiskImage openBacking(ImageFile from, String reference, Optional<String> format) throws IOException;

    /// A file that holds part of the image: an extent, external data.
    ImageFile openFile(ImageFile from, String reference, boolean readOnly) throws IOException;

    /// As [#openFile] for a file that is to be made, or emptied.
    ImageFile createFile(ImageFile from, String reference) throws IOException;

    /// A key or passphrase by the name under which the user has given it.
    ///
    /// @throws org.jvirt.core.UserErrorException if there is none with this name
    byte[] secret(String id);
}
