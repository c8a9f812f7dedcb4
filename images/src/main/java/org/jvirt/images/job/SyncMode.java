package org.jvirt.images.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What of a disk a job copies, by QEMU's names.
public enum SyncMode {
    /// Everything.
    FULL,
    /// What the top layer holds; the target lies on the same layer below.
    TOP,
    /// What a bitmap says has changed.
    INCREMENTAL,
    /// Only what changes from now on: as it was before, for a backup, or as it is then, for a mirror.
    NONE;

    public String modeName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<SyncMode> named(String modeName) {
        return Arrays.stream(values())
                .filter(mode -> mode.modeName().equals(modeName))
                .findFirst();
    }
}
