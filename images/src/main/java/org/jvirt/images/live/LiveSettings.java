package org.jvirt.images.live;

import java.util.Optional;
import org.jvirt.images.ImageAccess;

/// How a disk behaves in a running machine.
///
/// @param id     what it is called in the monitor; chosen by the machine where it is empty
/// @param limits on what it does in a second
/// @param group  disks of one group share the limits of the first of them
/// @param errors what becomes of requests that the host failed
/// @param access how images that come in later are opened
public record LiveSettings(
        String id, DiskLimits limits, Optional<String> group, ErrorPolicy errors, ImageAccess access) {
    public static final LiveSettings DEFAULT =
            new LiveSettings("", DiskLimits.NONE, Optional.empty(), ErrorPolicy.DEFAULT, new ImageAccess());

    public LiveSettings withId(String newId) {
        return new LiveSettings(newId, limits, group, errors, access);
    }

    public LiveSettings withLimits(DiskLimits newLimits) {
        return new LiveSettings(id, newLimits, group, errors, access);
    }

    public LiveSettings withGroup(String name) {
        return new LiveSettings(id, limits, Optional.of(name), errors, access);
    }

    public LiveSettings withErrors(ErrorPolicy policy) {
        return new LiveSettings(id, limits, group, policy, access);
    }

    public LiveSettings withAccess(ImageAccess newAccess) {
        return new LiveSettings(id, limits, group, errors, newAccess);
    }
}
