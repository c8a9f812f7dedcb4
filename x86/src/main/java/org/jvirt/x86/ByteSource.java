package org.jvirt.x86;

/// Where the decoder takes instruction bytes from when they are not in an array.
///
/// The decoder asks for each byte at most once, in ascending order, and never for one that the instruction does not
/// have. An engine that throws its page fault from here faults at the exact byte.
@FunctionalInterface
public interface ByteSource {
    /// The byte (0 to 255) at `index` from the first byte of the instruction, or -1 when it is not available: the
    /// decoder then answers [DecodeResult#NEEDS_MORE].
    int byteAt(int index);
}
