package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Flags;

/// The operations of the arithmetic-logic unit, chosen at run time: for shapes without a class of their own. Each
/// takes operands with anything above their width, notes the flags and returns the result zero-extended or
/// sign-extended; only its low bits count.
enum Alu {
    ADD,
    OR,
    ADC,
    SBB,
    AND,
    SUB,
    XOR,
    NOT,
    NEG,
    INC,
    DEC;

    /// @param a    the destination's old value
    /// @param b    the source; ignored by the operations with one operand
    /// @param size bytes: 1, 2, 4 or 8
    long apply(Flags flags, long a, long b, int size) {
        return switch (this) {
            case ADD -> add(flags, a, b, size);
            case OR -> logic(flags, a | b, size);
            case ADC -> adc(flags, a, b, size);
            case SBB -> sbb(flags, a, b, size);
            case AND -> logic(flags, a & b, size);
            case SUB -> sub(flags, a, b, size);
            case XOR -> logic(flags, a ^ b, size);
            case NOT -> ~a;
            case NEG -> sub(flags, 0, a, size);
            case INC -> inc(flags, a, size);
            case DEC -> dec(flags, a, size);
        };
    }

    static long add(Flags flags, long a, long b, int size) {
        return switch (size) {
            case 1 -> flags.add8((int) a, (int) b);
            case 2 -> flags.add16((int) a, (int) b);
            case 4 -> flags.add32((int) a, (int) b);
            default -> flags.add64(a, b);
        };
    }

    static long adc(Flags flags, long a, long b, int size) {
        return switch (size) {
            case 1 -> flags.adc8((int) a, (int) b);
            case 2 -> flags.adc16((int) a, (int) b);
            case 4 -> flags.adc32((int) a, (int) b);
            default -> flags.adc64(a, b);
        };
    }

    static long sub(Flags flags, long a, long b, int size) {
        return switch (size) {
            case 1 -> flags.sub8((int) a, (int) b);
            case 2 -> flags.sub16((int) a, (int) b);
            case 4 -> flags.sub32((int) a, (int) b);
            default -> flags.sub64(a, b);
        };
    }

    static long sbb(Flags flags, long a, long b, int size) {
        return switch (size) {
            case 1 -> flags.sbb8((int) a, (int) b);
            case 2 -> flags.sbb16((int) a, (int) b);
            case 4 -> flags.sbb32((int) a, (int) b);
            default -> flags.sbb64(a, b);
        };
    }

    static long logic(Flags flags, long r, int size) {
        return switch (size) {
            case 1 -> flags.logic8((int) r);
            case 2 -> flags.logic16((int) r);
            case 4 -> flags.logic32((int) r);
            default -> flags.logic64(r);
        };
    }

    static long inc(Flags flags, long a, int size) {
        return switch (size) {
            case 1 -> flags.inc8((int) a);
            case 2 -> flags.inc16((int) a);
            case 4 -> flags.inc32((int) a);
            default -> flags.inc64(a);
        };
    }

    static long dec(Flags flags, long a, int size) {
        return switch (size) {
            case 1 -> flags.dec8((int) a);
            case 2 -> flags.dec16((int) a);
            case 4 -> flags.dec32((int) a);
            default -> flags.dec64(a);
        };
    }
}
