package org.jvirt.x86;

/// A memory operand, built up from its parts: `mem(RBX).index(RCX, 4).disp(8).dword()`. Immutable.
///
/// The size may be left out where a register operand or the instruction implies it; the assembler says so when it
/// must be given. The size of the base and index registers is the address size.
public final class Mem implements Operand {
    private final int base;
    private final int index;
    private final int vectorIndexSize;
    private final int scale;
    private final long displacement;
    private final int segment;
    private final int size;
    private final int addressSize;
    private final String label;

    private Mem(
            int base,
            int index,
            int vectorIndexSize,
            int scale,
            long displacement,
            int segment,
            int size,
            int addressSize,
            String label) {
        this.base = base;
        this.index = index;
        this.vectorIndexSize = vectorIndexSize;
        this.scale = scale;
        this.displacement = displacement;
        this.segment = segment;
        this.size = size;
        this.addressSize = addressSize;
        this.label = label;
    }

    /// Memory at the address in a register.
    public static Mem mem(Reg base) {
        requireAddress(base);
        return new Mem(base.number(), -1, 0, 0, 0, -1, 0, base.size(), "");
    }

    /// Memory at a constant address.
    public static Mem mem(long address) {
        return new Mem(-1, -1, 0, 0, address, -1, 0, 0, "");
    }

    /// Memory at a label: RIP-relative in 64-bit code, absolute otherwise.
    public static Mem mem(String label) {
        return new Mem(-1, -1, 0, 0, 0, -1, 0, 0, label);
    }

    /// Memory at a distance from the next instruction (64-bit code).
    public static Mem rip(long displacement) {
        return new Mem(Instruction.RIP, -1, 0, 0, displacement, -1, 0, 8, "");
    }

    private static void requireAddress(Reg register) {
        if (register.kind() != OperandKind.GPR || register.size() == 1) {
            throw new IllegalArgumentException(register + " cannot hold an address");
        }
    }

    /// Adds `register` × `factor` (1, 2, 4 or 8); a vector register for gathers.
    public Mem index(Reg register, int factor) {
        int shift = switch (factor) {
            case 1 -> 0;
            case 2 -> 1;
            case 4 -> 2;
            case 8 -> 3;
            default -> throw new IllegalArgumentException("Index factor " + factor + " is not 1, 2, 4 or 8");
        };
        boolean vector = register.kind() == OperandKind.XMM || register.kind() == OperandKind.YMM;
        if (vector) {
            return new Mem(
                    base, register.number(), register.size(), shift, displacement, segment, size, addressSize, label);
        }
        requireAddress(register);
        return new Mem(base, register.number(), 0, shift, displacement, segment, size, register.size(), label);
    }

    /// Adds `register`.
    public Mem index(Reg register) {
        return index(register, 1);
    }

    /// Adds a constant.
    public Mem disp(long bytes) {
        return new Mem(base, index, vectorIndexSize, scale, displacement + bytes, segment, size, addressSize, label);
    }

    /// Adds a label's address as an absolute displacement.
    public Mem label(String name) {
        return new Mem(base, index, vectorIndexSize, scale, displacement, segment, size, addressSize, name);
    }

    /// With a segment override.
    public Mem segment(Reg register) {
        if (register.kind() != OperandKind.SEGMENT) {
            throw new IllegalArgumentException(register + " is no segment register");
        }
        return new Mem(base, index, vectorIndexSize, scale, displacement, register.number(), size, addressSize, label);
    }

    /// With a size in bytes.
    public Mem size(int bytes) {
        return new Mem(base, index, vectorIndexSize, scale, displacement, segment, bytes, addressSize, label);
    }

    /// With a size of 1 byte.
    public Mem byteSize() {
        return size(1);
    }

    /// With a size of 2 bytes.
    public Mem word() {
        return size(2);
    }

    /// With a size of 4 bytes.
    public Mem dword() {
        return size(4);
    }

    /// With a size of 8 bytes.
    public Mem qword() {
        return size(8);
    }

    /// With a size of 16 bytes.
    public Mem xmmword() {
        return size(16);
    }

    /// Base register number, [Instruction#RIP] or -1.
    public int base() {
        return base;
    }

    /// Index register number or -1.
    public int index() {
        return index;
    }

    int vectorIndexSize() {
        return vectorIndexSize;
    }

    /// Index shift.
    public int scale() {
        return scale;
    }

    public long displacement() {
        return displacement;
    }

    /// Segment override 0 to 5, or -1.
    public int segment() {
        return segment;
    }

    /// Size in bytes, or 0 when left open.
    public int size() {
        return size;
    }

    int addressSize() {
        return addressSize;
    }

    String label() {
        return label;
    }
}
