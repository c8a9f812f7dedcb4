package org.jvirt.images.nbd;

import java.io.IOException;
import java.io.Serial;

/// The server does not keep to the protocol: nothing it says is believed any more.
final class ProtocolException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }
}
