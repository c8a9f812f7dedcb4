package org.jvirt.images.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;

/// Where a job copies to.
///
/// @param zero whether it reads as zeroes where nothing was copied
record JobTarget(DiskImage image, boolean zero) {
    /// What a user says about it.
    ///
    /// @param format   of a new image, or as the one that is there is
    /// @param existing whether it is there already, prepared
    record Request(Path file, ImageFormat format, boolean existing) {}

    /// @param below what a new image lies on
    static JobTarget open(ImageAccess access, Request request, long sizeBytes, Optional<DiskImage> below) {
        String name = request.file().toString();
        if (!request.existing()) {
            Map<String, String> options = new LinkedHashMap<>();
            below.ifPresent(layer -> {
                options.put("backing_file", absolute(layer));
                options.put("backing_fmt", layer.format().formatName());
            });
            access.create(request.format(), name, sizeBytes, options);
        }
        DiskImage image = access.open(
                ImageReference.ofFile(request.file()), Optional.of(request.format()), ImageOpening.writing());
        if (image.sizeBytes() != sizeBytes) {
            var wrong = new UserErrorException("Cannot copy %d bytes to %s: it has %d; make it as large as the disk"
                    .formatted(sizeBytes, name, image.sizeBytes()));
            try {
                image.close();
            } catch (IOException e) {
                wrong.addSuppressed(e);
            }
            throw wrong;
        }
        return new JobTarget(image, !request.existing() && below.isEmpty());
    }

    static String absolute(DiskImage layer) {
        return Path.of(layer.name()).toAbsolutePath().toString();
    }
}
