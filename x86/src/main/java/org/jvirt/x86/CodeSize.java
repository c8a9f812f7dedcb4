package org.jvirt.x86;

/// The size of the code segment that an instruction is decoded for: it sets the default operand and address sizes.
/// Real and virtual-8086 mode are [#CODE16] (or [#CODE32], where the segment cache says so).
public enum CodeSize {
    CODE16(2, 2),
    CODE32(4, 4),
    CODE64(4, 8);

    private final int operandSize;
    private final int addressSize;

    CodeSize(int operandSize, int addressSize) {
        this.operandSize = operandSize;
        this.addressSize = addressSize;
    }

    /// Bytes of an operand without prefix.
    public int operandSize() {
        return operandSize;
    }

    /// Bytes of an address without prefix.
    public int addressSize() {
        return addressSize;
    }

    /// Whether this is 64-bit mode.
    public boolean isLong() {
        return this == CODE64;
    }
}
