package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Flags;

/// The shifts and rotates with one value operand.
enum ShiftKind {
    ROL,
    ROR,
    RCL,
    RCR,
    SHL,
    SHR,
    SAR;

    /// @param value with anything above its width
    /// @param count as the instruction gives it; masked here, and when that leaves zero no flag changes
    /// @param size  bytes: 1, 2, 4 or 8
    /// @return the result; only its low bits count
    long apply(Flags flags, long value, int count, int size) {
        int bits = 8 * size;
        return switch (this) {
            case ROL -> Rotates.rol(flags, value, count, bits);
            case ROR -> Rotates.ror(flags, value, count, bits);
            case RCL -> Rotates.rcl(flags, value, count, bits);
            case RCR -> Rotates.rcr(flags, value, count, bits);
            case SHL -> shl(flags, value, Rotates.mask(count, bits), size);
            case SHR -> shr(flags, value, Rotates.mask(count, bits), size);
            case SAR -> sar(flags, value, Rotates.mask(count, bits), size);
        };
    }

    private static long shl(Flags flags, long value, int count, int size) {
        if (count == 0) {
            return value;
        }
        return switch (size) {
            case 1 -> flags.shl8((int) value, count);
            case 2 -> flags.shl16((int) value, count);
            case 4 -> flags.shl32((int) value, count);
            default -> flags.shl64(value, count);
        };
    }

    private static long shr(Flags flags, long value, int count, int size) {
        if (count == 0) {
            return value;
        }
        return switch (size) {
            case 1 -> flags.shr8((int) value, count);
            case 2 -> flags.shr16((int) value, count);
            case 4 -> flags.shr32((int) value, count);
            default -> flags.shr64(value, count);
        };
    }

    private static long sar(Flags flags, long value, int count, int size) {
        if (count == 0) {
            return value;
        }
        return switch (size) {
            case 1 -> flags.sar8((int) value, count);
            case 2 -> flags.sar16((int) value, count);
            case 4 -> flags.sar32((int) value, count);
            default -> flags.sar64(value, count);
        };
    }
}
