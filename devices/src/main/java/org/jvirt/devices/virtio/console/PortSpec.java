package org.jvirt.devices.virtio.console;

import java.nio.charset.StandardCharsets;
import org.jvirt.core.CharBackend;
import org.jvirt.core.UserErrorException;

/// One port to offer.
///
/// @param name    what a guest finds under `/dev/virtio-ports`; may be empty
/// @param console whether it is a terminal (`/dev/hvc0`) rather than a plain byte channel
public record PortSpec(String name, boolean console, CharBackend backend) {
    static final int MAX_NAME_BYTES = 64;

    public PortSpec {
        if (name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
            throw new UserErrorException("Port name \"%s\" is longer than 64 bytes".formatted(name));
        }
    }
}
