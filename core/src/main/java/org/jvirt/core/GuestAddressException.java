package org.jvirt.core;

import java.io.Serial;

/// The guest named guest-physical memory that is not RAM. Devices catch it where a guest's request begins and
/// answer the guest; it never leaves a device. It carries no stack trace, because a guest can cause it at will.
public final class GuestAddressException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long gpa;
    private final long lengthBytes;

    public GuestAddressException(long gpa, long lengthBytes) {
        super(null, null, false, false);
        this.gpa = gpa;
        this.lengthBytes = lengthBytes;
    }

    public long gpa() {
        return gpa;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public String getMessage() {
        return "Guest-physical 0x%x–0x%x is not RAM".formatted(gpa, gpa + lengthBytes - 1);
    }
}
