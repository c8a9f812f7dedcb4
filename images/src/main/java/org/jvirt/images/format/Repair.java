package org.jvirt.images.format;

/// What a check may mend.
public enum Repair {
    NONE,
    /// Space that nothing refers to.
    LEAKS,
    /// Everything that can be mended.
    ALL
}
