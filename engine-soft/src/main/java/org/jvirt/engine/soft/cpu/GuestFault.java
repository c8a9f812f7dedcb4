package org.jvirt.engine.soft.cpu;

import java.io.Serial;

/// An exception of the guest's processor on its way from the operation that met it to its delivery.
///
/// Each [Cpu] has one instance, filled anew for every fault: throwing it costs neither allocation nor stack walk.
/// Whoever catches it reads it before anything else can fault.
public final class GuestFault extends RuntimeException {
    /// [#errorCode] of vectors that push none.
    public static final int NO_ERROR_CODE = -1;

    @Serial
    private static final long serialVersionUID = 1L;

    int vector;
    int errorCode = NO_ERROR_CODE;
    long payload;

    GuestFault() {
        super("guest fault", null, false, false);
    }

    /// 0 to 31.
    public int vector() {
        return vector;
    }

    /// What is pushed, or [#NO_ERROR_CODE].
    public int errorCode() {
        return errorCode;
    }

    /// CR2 of a page fault, new DR6 bits of a debug exception.
    public long payload() {
        return payload;
    }

    GuestFault fill(int newVector, int newErrorCode, long newPayload) {
        vector = newVector;
        errorCode = newErrorCode;
        payload = newPayload;
        return this;
    }

    @Override
    public String getMessage() {
        return "vector %d, error code %d, payload 0x%x".formatted(vector, errorCode, payload);
    }
}
