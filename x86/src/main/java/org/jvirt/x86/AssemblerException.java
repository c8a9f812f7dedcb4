package org.jvirt.x86;

/// What was to be assembled has no encoding: the message says which instruction and why.
public final class AssemblerException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public AssemblerException(String message) {
        super(message);
    }
}
