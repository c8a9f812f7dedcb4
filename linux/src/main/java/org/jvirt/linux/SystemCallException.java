package org.jvirt.linux;

import java.io.Serial;
import org.jvirt.core.HostFailureException;

/// A system call failed.
public final class SystemCallException extends HostFailureException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /// @param what what was attempted, on which object: `map 64 MiB of guest memory`
    public SystemCallException(String what, int errno) {
        this(what, errno, "");
    }

    /// @param remedy what the user can do, with its punctuation: `; raise the limit on locked memory`
    public SystemCallException(String what, int errno, String remedy) {
        super("Cannot %s: %s%s".formatted(what, Errno.of(errno).describe(errno), remedy));
        this.errno = Errno.of(errno);
    }

    public Errno errno() {
        return errno;
    }
}
