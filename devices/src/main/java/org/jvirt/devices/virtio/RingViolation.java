package org.jvirt.devices.virtio;

import java.io.Serial;

/// The driver broke the rules of its queue in a way that leaves nothing to answer to. The transport catches it and
/// sets DEVICE_NEEDS_RESET. It carries no stack trace, because a guest can cause it at will.
public final class RingViolation extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public RingViolation(String message) {
        super(message, null, false, false);
    }
}
