package org.jvirt.images.nbd;

import java.io.IOException;
import java.io.Serial;

/// The connection has ended while a request was under way, which another one may answer.
final class LostConnectionException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    LostConnectionException(IOException cause) {
        super(String.valueOf(cause.getMessage()), cause);
    }
}
