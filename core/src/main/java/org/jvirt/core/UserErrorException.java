package org.jvirt.core;

import java.io.Serial;

/// The user asked for something that cannot be: a wrong option, a missing file, an impossible size.
public non-sealed class UserErrorException extends JvirtException {
    @Serial
    private static final long serialVersionUID = 1L;

    public UserErrorException(String message) {
        super(message);
    }

    public UserErrorException(String message, Throwable cause) {
        super(message, cause);
    }
}
