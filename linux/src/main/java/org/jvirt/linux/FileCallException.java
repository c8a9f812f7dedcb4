package org.jvirt.linux;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/// A call on an open file failed.
public final class FileCallException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    FileCallException(String verb, Path path, int errno) {
        super("Cannot %s %s: %s".formatted(verb, path, Errno.of(errno).describe(errno)));
        this.errno = Errno.of(errno);
    }

    public Errno errno() {
        return errno;
    }
}
