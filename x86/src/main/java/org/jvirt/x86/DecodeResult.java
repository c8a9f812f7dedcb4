package org.jvirt.x86;

/// The outcome of [Decoder#decode].
public enum DecodeResult {
    /// The instruction is complete.
    OK,
    /// The bytes are no instruction in this mode: the processor raises #UD.
    UNDEFINED,
    /// The instruction would be longer than 15 bytes: the processor raises #GP(0).
    TOO_LONG,
    /// The available bytes end before the instruction does.
    NEEDS_MORE
}
