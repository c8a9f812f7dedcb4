package org.jvirt.engine.soft.translate.verify;

import java.util.SplittableRandom;

/// What a program's general registers are for, as masks: what is loaded with addresses, with small numbers, and
/// what takes results. Without roles, random programs would soon have no valid address left.
record Roles(int pointers, int indexes, int data) {
    private static final int RSP = 1 << 4;
    private static final int STRING_POINTERS = 1 << 6 | 1 << 7;
    private static final int RCX = 1 << 1;

    static Roles choose(SplittableRandom random, CodeKind kind, boolean strings) {
        int files = kind.long64() ? 16 : 8;
        int free = (1 << files) - 1 & ~RSP;
        int pointers = strings ? STRING_POINTERS : 0;
        if (strings) {
            free &= ~RCX;
        }
        for (int i = 0; i < (kind.long64() ? 5 : 2); i++) {
            pointers |= pick(random, free & ~pointers);
        }
        free &= ~pointers;
        int indexes = 0;
        for (int i = 0; i < (kind.long64() ? 2 : 1); i++) {
            indexes |= pick(random, free & ~indexes);
        }
        return new Roles(pointers, indexes, free & ~indexes | (strings ? RCX : 0));
    }

    private static int pick(SplittableRandom random, int mask) {
        int rest = mask;
        for (int n = random.nextInt(Integer.bitCount(mask)); n > 0; n--) {
            rest &= rest - 1;
        }
        return Integer.lowestOneBit(rest);
    }

    /// One of the registers of a mask.
    static int any(SplittableRandom random, int mask) {
        return Integer.numberOfTrailingZeros(pick(random, mask));
    }

    boolean isPointer(int register) {
        return (pointers >> register & 1) != 0 || register == 4;
    }

    boolean isIndex(int register) {
        return (indexes >> register & 1) != 0;
    }
}
