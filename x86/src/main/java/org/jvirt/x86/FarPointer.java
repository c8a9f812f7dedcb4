package org.jvirt.x86;

/// The operand of a direct far call or jump.
///
/// @param selector segment selector
/// @param offset offset in the segment, unless a label is given
/// @param label a label whose address is the offset, or an empty string
public record FarPointer(int selector, long offset, String label) implements Operand {
    public FarPointer(int selector, long offset) {
        this(selector, offset, "");
    }

    public FarPointer(int selector, String label) {
        this(selector, 0, label);
    }
}
