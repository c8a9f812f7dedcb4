package org.jvirt.x86;

/// A reference to a label, as a branch target or as an immediate (the label's address).
///
/// @param name the label's name
/// @param near whether a branch to a label that is not yet defined takes the long form; a short one that turns out
/// too far is an error
public record LabelRef(String name, boolean near) implements Operand {
    public LabelRef(String name) {
        this(name, true);
    }

    /// The same label, reached by a short branch.
    public LabelRef asShort() {
        return new LabelRef(name, false);
    }
}
