package org.jvirt.images.file;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What stands between a disk's writes and the medium, by QEMU's names (`cache=`).
public enum CacheMode {
    /// The host's page cache; flushes reach the medium.
    WRITEBACK(false, false, true),
    /// No page cache; flushes reach the medium.
    NONE(true, false, true),
    /// The host's page cache for reading; a write returns when it is on the medium.
    WRITETHROUGH(false, true, true),
    /// No page cache; a write returns when it is on the medium.
    DIRECTSYNC(true, true, true),
    /// The host's page cache; flushes do nothing. For images that may be lost when the host fails.
    UNSAFE(false, false, false);

    private final boolean direct;
    private final boolean durableWrites;
    private final boolean flushes;

    CacheMode(boolean direct, boolean durableWrites, boolean flushes) {
        this.direct = direct;
        this.durableWrites = durableWrites;
        this.flushes = flushes;
    }

    boolean direct() {
        return direct;
    }

    /// Whether a write is on the medium when it returns.
    public boolean durableWrites() {
        return durableWrites;
    }

    /// Whether flushes reach the medium.
    public boolean flushes() {
        return flushes;
    }

    /// As on a command line: `writeback`.
    public String modeName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<CacheMode> named(String modeName) {
        return Arrays.stream(values())
                .filter(mode -> mode.modeName().equals(modeName))
                .findFirst();
    }
}
