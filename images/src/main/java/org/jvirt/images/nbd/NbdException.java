package org.jvirt.images.nbd;

import java.io.IOException;
import java.io.Serial;

/// The server has answered a request, or an option, with an error; the connection is as good as before.
final class NbdException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int error;

    NbdException(int error, String message) {
        super(message);
        this.error = error;
    }

    int error() {
        return error;
    }
}
