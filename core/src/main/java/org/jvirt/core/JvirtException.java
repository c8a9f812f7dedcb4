package org.jvirt.core;

import java.io.Serial;

/// A failure that is nobody's bug: the user asked for something impossible, or the host could not do its part.
/// The message is complete for a person: what was attempted, on which object, with values and units, and the
/// remedy.
public abstract sealed class JvirtException extends RuntimeException permits UserErrorException, HostFailureException {
    @Serial
    private static final long serialVersionUID = 1L;

    JvirtException(String message) {
        super(message);
    }

    JvirtException(String message, Throwable cause) {
        super(message, cause);
    }
}
