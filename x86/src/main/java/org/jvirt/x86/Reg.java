package org.jvirt.x86;

/// A register; the constants are in [Registers].
///
/// @param kind its file
/// @param number its number in that file (for AH to BH 0 to 3)
/// @param size its size in bytes
public record Reg(OperandKind kind, int number, int size) implements Operand {
    public Reg {
        if (!kind.isRegister()) {
            throw new IllegalArgumentException(kind + " is no register file");
        }
        int limit = switch (kind) {
            case SEGMENT -> 6;
            case X87, MMX -> 8;
            case GPR8_HIGH -> 4;
            default -> 16;
        };
        if (number < 0 || number >= limit) {
            throw new IllegalArgumentException("No register " + number + " of kind " + kind);
        }
    }

    /// The same general register at another size, or the same vector register at another length.
    public Reg sized(int bytes) {
        return switch (kind) {
            case GPR -> new Reg(kind, number, bytes);
            case XMM, YMM -> new Reg(bytes == 32 ? OperandKind.YMM : OperandKind.XMM, number, bytes);
            default -> throw new IllegalArgumentException(this + " has one size only");
        };
    }

    @Override
    public String toString() {
        return Disassembler.registerName(kind, number, size);
    }
}
