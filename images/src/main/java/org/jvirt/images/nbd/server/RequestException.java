package org.jvirt.images.nbd.server;

/// A request that is answered with an error, by the protocol's number.
final class RequestException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int error;

    /// @param message for a person at the other end
    RequestException(int error, String message) {
        super(message);
        this.error = error;
    }

    int error() {
        return error;
    }
}
