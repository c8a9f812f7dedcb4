package org.jvirt.x86;

/// The opcode maps of the manual; x87 escapes belong to [#ONE_BYTE].
public enum OpcodeMap {
    ONE_BYTE,
    MAP_0F,
    MAP_0F38,
    MAP_0F3A,
    VEX_0F,
    VEX_0F38,
    VEX_0F3A;

    /// Whether instructions of this map begin with a VEX prefix.
    public boolean isVex() {
        return ordinal() >= VEX_0F.ordinal();
    }
}
