package org.jvirt.images.live;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What becomes of a request that the host failed, by QEMU's names (`rerror=`, `werror=`).
public enum ErrorAction {
    /// The guest is told.
    REPORT,
    /// The machine stops; when it goes on, the request is tried again.
    STOP,
    /// The guest is told that all is well.
    IGNORE,
    /// [#STOP] where the host's disk is full, else [#REPORT].
    ENOSPC;

    /// As on a command line: `report`.
    public String actionName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<ErrorAction> named(String actionName) {
        return Arrays.stream(values())
                .filter(action -> action.actionName().equals(actionName))
                .findFirst();
    }
}
