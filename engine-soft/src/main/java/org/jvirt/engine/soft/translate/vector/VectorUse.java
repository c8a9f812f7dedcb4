package org.jvirt.engine.soft.translate.vector;

/// What a guest instruction needs of the vector registers.
public enum VectorUse {
    /// Nothing: it is no vector instruction.
    NONE,
    /// XMM registers and MXCSR in the host's registers; the guest may use SSE.
    SSE,
    /// YMM registers, too; the guest may use AVX.
    AVX,
    /// It is left to the interpreter.
    UNSUPPORTED
}
