package org.jvirt.engine.soft.fp;

/// The forms of the FMA3 instructions: which of the three operands are multiplied and which is added.
///
/// Of several NaNs the result is the first multiplicand, the second, the addend: for form 132 operands 1, 3, 2, for
/// 213 operands 2, 1, 3, for 231 operands 2, 3, 1.
///
/// @param order 132, 213 or 231: the two operands multiplied, then the one added
/// @param negateProduct the FNM… instructions
/// @param negateAddend the …SUB instructions
public record Fma(int order, boolean negateProduct, boolean negateAddend) {
    /// @throws IllegalArgumentException for any other order
    public Fma {
        if (order != 132 && order != 213 && order != 231) {
            throw new IllegalArgumentException("An FMA form has order 132, 213 or 231, not " + order);
        }
    }

    long compute(Mxcsr m, IeeeFormat f, long a, long b, long c) {
        return switch (order) {
            case 132 -> Ieee.fma(m, f, a, c, b, negateProduct, negateAddend);
            case 213 -> Ieee.fma(m, f, b, a, c, negateProduct, negateAddend);
            default -> Ieee.fma(m, f, b, c, a, negateProduct, negateAddend);
        };
    }
}
