package org.jvirt.core;

import java.io.Serial;

/// The guest read or wrote a model-specific register in a way the processor answers with `#GP(0)`.
/// One stackless instance serves all throws, because a guest can cause it at will.
public final class InvalidMsrException extends RuntimeException {
    public static final InvalidMsrException INSTANCE = new InvalidMsrException();

    @Serial
    private static final long serialVersionUID = 1L;

    private InvalidMsrException() {
        super("invalid MSR access", null, false, false);
    }
}
