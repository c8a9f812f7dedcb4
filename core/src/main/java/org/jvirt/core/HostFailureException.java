package org.jvirt.core;

import java.io.Serial;

/// The host failed to do what it was rightly asked: a system call failed, memory ran out, a file vanished.
public non-sealed class HostFailureException extends JvirtException {
    @Serial
    private static final long serialVersionUID = 1L;

    public HostFailureException(String message) {
        super(message);
    }

    public HostFailureException(String message, Throwable cause) {
        super(message, cause);
    }
}
