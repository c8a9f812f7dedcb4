package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Flags;

/// What `ROL`, `ROR`, `RCL`, `RCR`, `SHLD` and `SHRD` compute, for 8, 16, 32 and 64 bits.
///
/// Operands may carry anything above their width; results are zero-extended. Counts are taken as the instruction
/// gives them (`CL` or an immediate) and masked here. OF, which the manual defines for counts of one, follows the
/// same formula for all others.
final class Rotates {
    private Rotates() {}

    /// The count as the processor uses it: its low six bits for 64-bit operands, else its low five.
    static int mask(int count, int bits) {
        return count & (bits == 64 ? 63 : 31);
    }

    static long rol(Flags flags, long value, int count, int bits) {
        int masked = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (masked == 0) {
            return v;
        }
        int n = masked & (bits - 1);
        long r = n == 0 ? v : zeroExtend(v << n | v >>> (bits - n), bits);
        boolean carry = (r & 1) != 0;
        flags.setCarryOverflow(carry, carry != bit(r, bits - 1));
        return r;
    }

    static long ror(Flags flags, long value, int count, int bits) {
        int masked = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (masked == 0) {
            return v;
        }
        int n = masked & (bits - 1);
        long r = n == 0 ? v : zeroExtend(v >>> n | v << (bits - n), bits);
        boolean carry = bit(r, bits - 1);
        flags.setCarryOverflow(carry, carry != bit(r, bits - 2));
        return r;
    }

    /// Rotates the value with CF above it: `bits + 1` bits in all.
    static long rcl(Flags flags, long value, int count, int bits) {
        int masked = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (masked == 0) {
            return v;
        }
        int n = masked % (bits + 1);
        if (n == 0) {
            flags.setOf(flags.cf() != bit(v, bits - 1));
            return v;
        }
        long carryIn = flags.carry();
        // the bits that come round pass CF: one place less than in a plain rotation
        long round = n == 1 ? 0 : v >>> (bits + 1 - n);
        long r = zeroExtend(v << n | carryIn << (n - 1) | round, bits);
        boolean carry = bit(v, bits - n);
        flags.setCarryOverflow(carry, carry != bit(r, bits - 1));
        return r;
    }

    static long rcr(Flags flags, long value, int count, int bits) {
        int masked = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (masked == 0) {
            return v;
        }
        int n = masked % (bits + 1);
        if (n == 0) {
            flags.setOf(bit(v, bits - 1) != bit(v, bits - 2));
            return v;
        }
        long carryIn = flags.carry();
        long round = n == 1 ? 0 : v << (bits + 1 - n);
        long r = zeroExtend(v >>> n | carryIn << (bits - n) | round, bits);
        boolean carry = bit(v, n - 1);
        flags.setCarryOverflow(carry, bit(r, bits - 1) != bit(r, bits - 2));
        return r;
    }

    /// `SHLD`: bits of `fill` enter from the right. A 16-bit count above 16, which is undefined, takes them
    /// a second time and clears CF, as AMD's processors do.
    static long shld(Flags flags, long value, long fill, int count, int bits) {
        int n = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (n == 0) {
            return v;
        }
        long in = zeroExtend(fill, bits);
        long r;
        boolean carry;
        if (bits == 16) {
            long joined = v << 32 | in << 16 | in;
            r = joined << n >>> 32 & 0xFFFF;
            carry = n <= 16 && bit(v, 16 - n);
        } else {
            r = zeroExtend(v << n | in >>> (bits - n), bits);
            carry = bit(v, bits - n);
        }
        flags.noteShift(signExtend(r, bits), carry, carry != bit(r, bits - 1));
        return r;
    }

    /// `SHRD`: bits of `fill` enter from the left. A 16-bit count above 16, which is undefined, takes them
    /// a second time and clears CF, as AMD's processors do.
    static long shrd(Flags flags, long value, long fill, int count, int bits) {
        int n = mask(count, bits);
        long v = zeroExtend(value, bits);
        if (n == 0) {
            return v;
        }
        long in = zeroExtend(fill, bits);
        long r;
        boolean carry;
        if (bits == 16) {
            long joined = in << 32 | in << 16 | v;
            r = joined >>> n & 0xFFFF;
            carry = n <= 16 && bit(v, n - 1);
        } else {
            r = zeroExtend(v >>> n | in << (bits - n), bits);
            carry = bit(v, n - 1);
        }
        flags.noteShift(signExtend(r, bits), carry, bit(r, bits - 1) != bit(r, bits - 2));
        return r;
    }

    static long zeroExtend(long value, int bits) {
        return value & (-1L >>> (64 - bits));
    }

    static long signExtend(long value, int bits) {
        return value << (64 - bits) >> (64 - bits);
    }

    private static boolean bit(long value, int index) {
        return (value >>> index & 1) != 0;
    }
}
