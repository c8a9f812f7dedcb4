package org.jvirt.x86;

/// How an instruction uses an operand.
public enum Access {
    READ,
    WRITE,
    READ_WRITE;

    /// Whether the old value is used.
    public boolean reads() {
        return this != WRITE;
    }

    /// Whether the operand is (or may be) changed.
    public boolean writes() {
        return this != READ;
    }
}
