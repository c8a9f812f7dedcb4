package org.jvirt.images.format;

import java.io.IOException;
import java.util.List;
import org.jvirt.images.file.ImageFile;

/// One image format. Thread-safe, without state.
public interface FormatDriver {
    ImageFormat format();

    /// How many bytes from the start of a file [#probe] wants to see at most.
    int PROBE_BYTES = 2048;

    /// How sure it is that a file is of this format, 0 (not) to 100, as QEMU scores it.
    ///
    /// @param head the first [#PROBE_BYTES] of the file, or all of a shorter one
    int probe(byte[] head, String fileName, long fileBytes);

    /// Opens an image and takes the file over, also when it fails.
    ///
    /// @throws org.jvirt.core.UserErrorException if it is not, or not soundly, of this format, or needs what is not
    ///     there: with the name, the place and the remedy
    DiskImage open(ImageFile file, OpenRequest request) throws IOException;

    /// What can be given to [#create].
    List<CreateOption> createOptions();

    /// Makes an empty image in `file`, which is empty and writable; does not close it.
    ///
    /// @throws org.jvirt.core.UserErrorException if the options do not fit
    void create(ImageFile file, CreateRequest request) throws IOException;

    /// What an image would take.
    ///
    /// @param virtualSizeBytes of the disk
    /// @param dataBytes        how many of them will be written, in whole clusters of the format
    Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request);

    /// @param requiredBytes       the file's size when `dataBytes` are written
    /// @param fullyAllocatedBytes the file's size when everything is
    record Measure(long requiredBytes, long fullyAllocatedBytes) {}
}
